//! `enlist`: the operator's command line, the factory station and the server in one binary, which
//! carries the agent as well.
//!
//! The other names it goes by (`iotactl`, `trh`) are links to it and change nothing but the name in
//! its help. Called `enlist-agent`, it is the agent.

mod accept;
mod add;
mod admission_args;
#[cfg(unix)]
mod agent;
mod apply;
mod approve;
mod backup;
mod bulk;
mod ca;
mod cli;
mod completions;
mod configuration;
mod context;
mod copying;
mod credentials;
mod decommission;
mod delete;
mod deprovision;
mod device_config;
mod device_file;
mod diff;
mod export;
mod failure;
mod files;
mod get;
mod group_arg;
mod identity;
mod import;
mod interrupt;
mod lifecycle;
mod login;
mod man;
mod migrate;
mod orders;
mod output;
mod progress;
mod provision;
#[cfg(unix)]
mod quickstart;
mod receipt;
mod record_args;
mod refresh;
mod renew;
mod reset;
mod restore;
mod retire;
mod retry;
mod rollback;
mod root_key;
mod roots;
mod say;
mod secret_bounds;
mod secret_file;
mod serve;
mod set;
mod sign;
mod signing;
#[cfg(unix)]
mod simulate;
mod span;
mod test;
mod text;
mod verify;
mod waiting;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let program = cli::program_name(args.first());
    #[cfg(unix)]
    if program == "enlist-agent" {
        return agent::main("enlist-agent", args.into_iter().skip(1));
    }
    let parsed = cli::command(&program)
        .try_get_matches_from(args)
        .and_then(|matches| cli::Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => cli.run(&program),
        Err(error) => failure::usage(&error),
    }
}
