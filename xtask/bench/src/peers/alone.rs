//! What is asked of this program beside itself: durability, and growth.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::candidate::Candidate;
use super::errands::{self, Way};
use super::rounds::AT_ONCE;
use super::this::This;
use super::{rows, traced};
use crate::parts::{bulk, mebibytes, median, micros};
use crate::served::Served;

/// Connections at once, where durability is asked for.
const MANY: usize = 32;
/// What a server has left to do after its last answer it has done by then.
const SETTLED: Duration = Duration::from_secs(3);

/// Certificates a second, on a disk and without one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Durability {
    pub(super) disk: f64,
    pub(super) memory: f64,
}

/// The same enrollments with the data directory on the disk, and in memory, where there is nothing to
/// wait for.
pub(super) fn durability(rounds: usize, count: usize) -> Result<Durability> {
    let memory = tempfile::tempdir_in("/dev/shm").context("there is no /dev/shm")?;
    let mut sides = [This::start(None)?, This::of(Served::traced(memory, None)?)?];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for turn in 0..sides.len() {
            let at = (turn + round) % sides.len();
            let rate = rate(&mut sides[at], count, MANY)?;
            if round > 0 {
                rates[at].push(rate);
            }
        }
    }
    let [disk, memory] = rates.map(median);
    Ok(Durability { disk, memory })
}

fn rate(candidate: &mut dyn Candidate, count: usize, at_once: usize) -> Result<f64> {
    let errands = candidate.newcomers(count)?;
    let meter = || Ok(Duration::ZERO);
    let outcome = errands::run(candidate.address(), &errands, Way::Shared, at_once, meter)?;
    Ok(count as f64 / outcome.took.as_secs_f64())
}

/// How often a candidate that is traced into this file makes the disk durable for one certificate.
pub(super) fn syncs(candidate: &mut dyn Candidate, trace: &Path, count: usize) -> Result<f64> {
    // What is done once is done.
    rate(candidate, count / 4, MANY)?;
    let before = traced::syncs(trace)?;
    rate(candidate, count, MANY)?;
    Ok((traced::syncs(trace)? - before) as f64 / count as f64)
}

/// What a server with very many devices needs, and an empty one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    /// CPU of an enrollment, µs: full, empty.
    pub(super) cpu: [f64; 2],
    /// From the start to the first certificate, ms: full, empty.
    pub(super) start: [f64; 2],
}

/// Two servers in turns: one that has so many devices, one that has none.
pub(super) fn growth(rounds: usize, count: usize, devices: u64) -> Result<Growth> {
    let mut full = This::start(None)?;
    first(&mut full)?;
    let mut sides = [
        full.again(|data| rows::add(data, devices))?,
        This::start(None)?,
    ];
    let mut cpu = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        let before = [
            certify(&mut sides[0], count)?,
            certify(&mut sides[1], count)?,
        ];
        sleep(SETTLED);
        for (at, before) in before.into_iter().enumerate().filter(|_| round > 0) {
            cpu[at].push(micros(sides[at].cpu()? - before) / count as f64);
        }
    }
    let mut start = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let restart = |(at, this): (usize, This)| {
            let (this, took) = restarted(this)?;
            start[at].push(took);
            Ok(this)
        };
        let again: Result<Vec<_>> = sides.into_iter().enumerate().map(restart).collect();
        sides = again?.try_into().ok().context("as many as before")?;
    }
    Ok(Growth {
        cpu: cpu.map(median),
        start: start.map(median),
    })
}

/// Certifies so many, and says what CPU time the server had used before.
fn certify(this: &mut This, count: usize) -> Result<Duration> {
    let errands = this.newcomers(count)?;
    let meter = || this.cpu();
    let outcome = errands::run(this.address(), &errands, Way::Shared, AT_ONCE, meter)?;
    Ok(outcome.before)
}

/// Ends it at once, and starts it again: milliseconds until somebody has a certificate of it.
fn restarted(this: This) -> Result<(This, f64)> {
    let mut begun = Instant::now();
    let mut this = this.again(|_| {
        begun = Instant::now();
        Ok(())
    })?;
    first(&mut this)?;
    Ok((this, begun.elapsed().as_secs_f64() * 1e3))
}

/// Very many devices made in one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bulk {
    /// Devices a second.
    pub(super) rate: f64,
    /// By how much the server's memory has grown at most, MiB: with a tenth of them, with all.
    pub(super) grown: [f64; 2],
}

/// Makes so many devices in one call, after a tenth of them in another.
pub(super) fn bulk(devices: u64) -> Result<Bulk> {
    let this = This::start(None)?;
    let devices = usize::try_from(devices)?;
    let before = this.resident()?.now;
    let grown = || Ok::<_, anyhow::Error>(mebibytes(this.resident()?.peak.saturating_sub(before)));
    bulk::create(&this.server, "bench", 1, devices / 10)?;
    let tenth = grown()?;
    let took = bulk::create(&this.server, "bench", devices, devices)?;
    Ok(Bulk {
        rate: devices as f64 / took.as_secs_f64(),
        grown: [tenth, grown()?],
    })
}

fn first(this: &mut This) -> Result<()> {
    rate(this, 1, 1).map(drop)
}
