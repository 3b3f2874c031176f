//! `enlist agent`: the agent, which this program carries.

use std::ffi::OsString;
use std::process::ExitCode;

/// Run the device's agent, which is `enlist-agent` by another name
///
/// Everything after `agent` is the agent's own: `enlist agent --help` tells what it takes, and its
/// exit statuses are its own too.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, after_help = EXAMPLES)]
pub struct Agent {
    /// End with the process of this id, which has started this one
    #[arg(long, value_name = "PID", hide = true)]
    with_parent: Option<u32>,
    /// What the agent is to do
    #[arg(
        value_name = "ARGUMENTS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  enlist agent run -c /etc/enlist/config.json
  enlist agent provision -c config.json
  enlist agent identity";

impl Agent {
    /// Hands over to the agent.
    pub fn run(self, program: &str) -> ExitCode {
        if self.with_parent.is_some_and(|parent| !dies_with(parent)) {
            return ExitCode::SUCCESS;
        }
        main(&format!("{program} agent"), self.arguments.into_iter())
    }
}

/// The agent, called `program` in its help.
pub fn main(program: &str, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    enlist_agent::cli::main(std::iter::once(program.into()).chain(arguments))
}

/// Sees to it that this process ends when its parent does, however that ends; false where it has
/// ended already.
#[cfg(target_os = "linux")]
pub fn dies_with(parent: u32) -> bool {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let armed = set_parent_process_death_signal(Some(Signal::TERM)).is_ok();
    let alive = getppid().is_some_and(|pid| u32::try_from(pid.as_raw_pid()) == Ok(parent));
    alive || !armed
}

/// Elsewhere the parent ends its children when it ends in good order.
#[cfg(not(target_os = "linux"))]
pub fn dies_with(_: u32) -> bool {
    true
}
