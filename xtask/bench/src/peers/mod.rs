//! This program beside others that do the same work: step-ca and cfssl, as Debian has them.
//!
//! The work: a CSR over P-256 becomes a certificate, which is durable before the answer. For each as
//! for the others, the same clients, over the same TLS, in turns.

mod alone;
mod authority;
mod candidate;
mod cfssl;
mod errands;
mod idle;
mod page;
mod pair;
mod plot;
mod rounds;
mod rows;
mod running;
mod step_ca;
mod this;
pub(crate) mod traced;
mod verdicts;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::floor::{crypto, handshake};
use crate::parts::micros;
use crate::process::{self, Resident};
use crate::{machine, scratch};
use alone::{Bulk, Durability, Growth};
use cfssl::Cfssl;
use pair::Pair;
use rounds::{Medians, Side, Work};
use step_ca::StepCa;
use this::This;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Rounds, of which the median counts.
    rounds: usize,
    /// Certificates a round, of each.
    count: usize,
    /// Connections that do nothing.
    idle: usize,
    /// Devices that are there already, where growth is asked for.
    devices: u64,
}

impl Size {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        count: 2_000,
        idle: 10_000,
        devices: 1_000_000,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        count: 500,
        idle: 2_000,
        devices: 100_000,
    };
    pub(crate) const SMOKE: Self = Self {
        rounds: 1,
        count: 60,
        idle: 100,
        devices: 1_000,
    };
}

/// Who is compared, in the order of the columns.
const NAMES: [&str; 3] = ["Enlist", "step-ca", "cfssl"];

/// All that was measured.
struct Comparison {
    machine: String,
    versions: [String; 3],
    size: Size,
    /// One row for each of [`Work::ALL`].
    work: [[Option<Medians>; 3]; 4],
    memory: [Resident; 3],
    /// For one certificate.
    syncs: [f64; 3],
    physics: Physics,
    durability: Durability,
    /// KiB a connection: Enlist, step-ca.
    idle: [f64; 2],
    growth: Growth,
    bulk: Bulk,
    pair: Option<Pair>,
}

/// The cryptography that cannot be left out, µs of CPU.
struct Physics {
    handshake: f64,
    check: f64,
    sign: f64,
}

/// Measures all, and writes `benchmarks.md` and `benchmarks.svg` into a directory. `step_ca` is the
/// program of that name.
pub(crate) fn measure(step_ca: &Path, size: Size, into: &Path) -> Result<()> {
    process::allow_files()?;
    let comparison = compare(step_ca, size)?;
    let page = page::write(&comparison);
    println!("\n{page}");
    std::fs::create_dir_all(into)?;
    std::fs::write(into.join("benchmarks.md"), page)
        .with_context(|| format!("can't write into {}", into.display()))?;
    plot::draw(&comparison, &into.join("benchmarks.svg"))?;
    println!("written: {}", into.join("benchmarks.md").display());
    Ok(())
}

fn compare(step_ca: &Path, size: Size) -> Result<Comparison> {
    println!(
        "{} certificates a round, {} rounds",
        size.count, size.rounds
    );
    let mut sides = [
        Side::new(This::start(None)?, true),
        Side::new(StepCa::start(step_ca, None)?, true),
        Side::new(Cfssl::start(None)?, false),
    ];
    rounds::run(&mut sides, size.rounds, size.count)?;
    let work = Work::ALL.map(|work| [0, 1, 2].map(|at| sides[at].medians(work)));
    let [this, other, third] = &sides;
    let memory = [
        this.candidate.resident()?,
        other.candidate.resident()?,
        third.candidate.resident()?,
    ];
    drop(sides);
    println!("what is made durable");
    let syncs = syncs(step_ca, size.count / 2)?;
    println!("the cryptography alone");
    let crypto = crypto::measure(5_000)?;
    let physics = Physics {
        handshake: micros(handshake::measure(2_000)?),
        check: micros(crypto.check),
        sign: micros(crypto.sign),
    };
    println!("with a disk and without");
    let durability = alone::durability(size.rounds, 2 * size.count)?;
    println!("{} idle connections", size.idle);
    let idle = [
        idle::memory(&mut This::start(None)?, "/healthz", size.idle)?,
        idle::memory(&mut StepCa::start(step_ca, None)?, "/health", size.idle)?,
    ];
    println!("{} devices", size.devices);
    let growth = alone::growth(size.rounds, size.count, size.devices)?;
    let bulk = alone::bulk(size.devices)?;
    println!("PostgreSQL");
    let pair = pair::measure(size.rounds, size.count)?;
    Ok(Comparison {
        machine: machine::describe(),
        versions: versions(),
        size,
        work,
        memory,
        syncs,
        physics,
        durability,
        idle,
        growth,
        bulk,
        pair,
    })
}

/// Each once more, under strace.
fn syncs(step_ca: &Path, count: usize) -> Result<[f64; 3]> {
    let (_kept, [one, two, three]) = traced::files()?;
    Ok([
        alone::syncs(&mut This::start(Some(&one))?, &one, count)?,
        alone::syncs(&mut StepCa::start(step_ca, Some(&two))?, &two, count)?,
        alone::syncs(&mut Cfssl::start(Some(&three))?, &three, count)?,
    ])
}

fn versions() -> [String; 3] {
    let commit = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let commit = commit.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    let package = |name| scratch::packaged(name);
    [
        format!(
            "{} ({})",
            env!("CARGO_PKG_VERSION"),
            commit.unwrap_or_default()
        ),
        package("golang-github-smallstep-certificates-dev"),
        package("golang-cfssl"),
    ]
}
