//! `enlist-agent`: the small daemon and the commands of a device.

use std::process::ExitCode;

fn main() -> ExitCode {
    enlist_agent::cli::main(std::env::args_os())
}
