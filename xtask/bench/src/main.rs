//! The figures of this program beside the floor, measured in the same run on one machine.
//!
//! What is measured is the release: `enlist serve` and `enlist-agent` as processes of their own.
//! The load comes from this process. The floor is what cannot be left out, done barely: the same
//! TLS exchange, the same cryptography by the same library, the same rows into SQLite.

mod floor;
mod http;
mod load;
mod machine;
mod newcomers;
mod parts;
mod peers;
mod process;
mod scratch;
// As the tests have it.
#[path = "../../../crates/testkit/src/postgres.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod postgres;
mod served;
// As the tests of `attest` have it.
#[path = "../../../crates/testkit/src/soft_tpm.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod soft_tpm;
mod table;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use parts::{
    Scale, admission, agent, audit, batches, bulk, enroll, est, memory, ocsp, revocation,
    ten_million, tpm,
};
use table::Table;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Cli {
    /// Fewer rounds and rows.
    #[arg(long)]
    quick: bool,
    /// Only as much as shows that all parts run; the figures mean nothing.
    #[arg(long, conflicts_with = "quick")]
    smoke: bool,
    /// Beside step-ca, the program at this path, and cfssl, and nothing else. Writes docs/benchmarks.md and
    /// its picture; with fewer rounds, into target/bench.
    #[arg(long, value_name = "STEP_CA", conflicts_with = "parts")]
    peers: Option<PathBuf>,
    /// What this process is: the measuring one, or a server that is measured.
    #[arg(long, hide = true, value_enum)]
    role: Option<Role>,
    /// Which parts; all, if none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
}

/// What a process of this program can be besides the one that measures.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// The bare exchange: TLS, a request, a reply of the right length.
    Exchange,
    /// The server's library, which says at its end how it committed.
    Batches,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU time of an enrollment, and how many there are a second.
    Enroll,
    /// The same by EST.
    Est,
    /// What the bounds of a provisioning secret cost.
    Admission,
    /// OCSP answers beside another responder's, and beside bare signatures.
    Ocsp,
    /// From revoking a certificate to its refusal, with a million revoked before.
    Revocation,
    /// A million devices in one call.
    Bulk,
    /// The server's memory, and the latency of an enrollment, as devices grow more.
    Memory,
    /// Sealing, exporting and verifying a million events.
    Audit,
    /// The agent's size, memory and time.
    Agent,
    /// A TPM's attestation beside the signatures in it.
    Tpm,
    /// Ten times the most devices, on PostgreSQL. Only where it is named: it takes ten minutes and gigabytes.
    TenMillion,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.role {
        Some(Role::Exchange) => return floor::exchange::serve(),
        Some(Role::Batches) => return batches::serve(),
        None => {}
    }
    let scale = match (cli.quick, cli.smoke) {
        (true, _) => Scale::QUICK,
        (_, true) => Scale::SMOKE,
        _ => Scale::FULL,
    };
    if let Some(step_ca) = &cli.peers {
        let beside = scratch::target().join("bench");
        let (size, into) = match (cli.quick, cli.smoke) {
            (true, _) => (peers::Size::QUICK, beside),
            (_, true) => (peers::Size::SMOKE, beside),
            _ => (peers::Size::FULL, scratch::docs()),
        };
        return peers::measure(step_ca, size, &into);
    }
    let wanted = |part| cli.parts.is_empty() || cli.parts.contains(&part);
    let mut table = Table::new(machine::describe());
    if wanted(Part::Enroll) {
        enroll::measure(&scale, &mut table)?;
    }
    if wanted(Part::Est) {
        est::measure(&scale, &mut table)?;
    }
    if wanted(Part::Admission) {
        admission::measure(&scale, &mut table)?;
    }
    if wanted(Part::Ocsp) {
        ocsp::measure(&scale, &mut table)?;
    }
    if wanted(Part::Revocation) {
        revocation::measure(&scale, &mut table)?;
    }
    if wanted(Part::Bulk) {
        bulk::measure(&scale, &mut table)?;
    }
    if wanted(Part::Memory) {
        memory::measure(&scale, &mut table)?;
    }
    if wanted(Part::Audit) {
        audit::measure(&scale, &mut table)?;
    }
    if wanted(Part::Agent) {
        agent::measure(&scale, &mut table)?;
    }
    if wanted(Part::Tpm) {
        tpm::measure(&scale, &mut table)?;
    }
    if cli.parts.contains(&Part::TenMillion) {
        ten_million::measure(&scale, &mut table)?;
    }
    println!("\n{table}");
    Ok(())
}
