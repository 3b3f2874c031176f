//! `cargo xtask …`: what the project does to itself.

mod bench;
mod check;
mod components;
mod cross;
mod fuzz;
mod generate;
mod house;
mod lines;
mod lint;
mod metadata;
mod package;
mod peers;
mod policy;
mod postgres;
mod problems;
mod run;
mod small;
mod soak;
mod softhsm;
mod steps;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, generates and measures.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs all checks: what `.ci/run` calls, and what has to be green before a change goes in.
    Check {
        /// Formats and generates instead of finding fault with it.
        #[arg(long)]
        fix: bool,
    },
    /// Writes the files that are made from the code: docs/openapi.json.
    Generate {
        /// Only says whether they are up to date.
        #[arg(long)]
        check: bool,
    },
    /// Lints the certificates, CRLs and OCSP answers that the last check's tests have produced.
    Lint,
    /// Feeds strange bytes to whatever reads what strangers send. What it finds lies in target/fuzz/found.
    Fuzz {
        /// How long each target is run.
        #[arg(long, default_value_t = 20)]
        seconds: u32,
        /// Which targets: the files in fuzz/targets/src. All, if none is named.
        targets: Vec<String>,
    },
    /// Builds the agent for ARM64, ARMv7, ARMv5 and 32-bit x86 with Debian's packages, runs each under
    /// qemu-user through a real enrollment, and checks that the CLI compiles for Windows and macOS.
    Cross {
        /// Which targets. All, if none is named.
        targets: Vec<String>,
    },
    /// Builds the agent for devices with little memory, smaller than cargo alone can, and has it enroll.
    Small,
    /// Builds the Debian packages enlist-agent and enlist into target/package.
    Package {
        /// Packs the binaries of the dev profile: to look at the packages, not to install them.
        #[arg(long)]
        dev: bool,
    },
    /// Runs the tests with the keys of CAs in a PKCS#11 token (SoftHSM2), one for each test.
    SuiteSofthsm {
        /// What to run, as for `cargo nextest run`: `-p enlist-server`, for instance. All, if nothing
        /// is said.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs a command with such a token.
    #[command(hide = true)]
    WithToken {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Runs the tests that would do with memory or SQLite on PostgreSQL, each server on a database of its own.
    SuitePostgres {
        /// What to run, as for `cargo nextest run`: `-p enlist-server`, for instance. The tests of the server
        /// and of the command line, if nothing is said.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs a command with databases of its own.
    #[command(hide = true)]
    WithDatabase {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Runs the tests of faults at length: larger crowds of devices, a server paused for a whole minute.
    Soak {
        /// How many times.
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// Builds a release and prints its figures beside the floor measured in the same run.
    Bench {
        /// Fewer rounds and rows: minutes become one or two.
        #[arg(long)]
        quick: bool,
        /// Only as much as shows that all parts run; the figures mean nothing.
        #[arg(long, conflicts_with = "quick")]
        smoke: bool,
        /// Beside step-ca and cfssl, from Debian's packages, and nothing else: writes docs/benchmarks.md and its
        /// picture; with --quick or --smoke, into target/bench.
        #[arg(long, conflicts_with = "parts")]
        peers: bool,
        /// Which parts, of: enroll, est, ocsp, revocation, bulk, memory, agent. All, if none is named, but for
        /// ten-million, which takes ten minutes and gigabytes.
        parts: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Check { fix } => check::all(fix),
        Task::Generate { check } => generate::all(check),
        Task::Lint => lint::all(),
        Task::Fuzz { seconds, targets } => fuzz::all(&targets, seconds),
        Task::Cross { targets } => cross::all(&targets),
        Task::SuiteSofthsm { args } => softhsm::suite(&args),
        Task::WithToken { command } => match softhsm::with_token(&command) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Task::SuitePostgres { args } => postgres::suite(&args),
        Task::WithDatabase { command } => match postgres::with_database(&command) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Task::Soak { rounds } => soak::all(rounds),
        Task::Small => small::build(),
        Task::Package { dev: true } => package::all(package::Build::Dev),
        Task::Package { dev: false } => package::all(package::Build::Release),
        Task::Bench {
            quick,
            smoke,
            peers,
            parts,
        } => {
            let scale = match (quick, smoke) {
                (true, _) => Some("--quick"),
                (_, true) => Some("--smoke"),
                _ => None,
            };
            if peers {
                peers::figures(scale)
            } else {
                bench::figures(scale, &parts)
            }
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The words alone: a backtrace of this program helps nobody.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
