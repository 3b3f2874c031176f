//! `enlist completions`.

use clap_complete::Shell;

use crate::cli;
use crate::failure::written;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
    /// Those of `enlist-agent` in place of this program's
    #[cfg(unix)]
    #[arg(long)]
    agent: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist completions bash > /etc/bash_completion.d/enlist
  enlist completions zsh > ~/.zfunc/_enlist
  enlist completions fish > ~/.config/fish/completions/enlist.fish
  enlist completions bash --agent > /etc/bash_completion.d/enlist-agent";

impl Completions {
    /// Prints them, for the name that the program was called by.
    pub fn run(self, program: &str) -> anyhow::Result<()> {
        let mut script = Vec::new();
        #[cfg(unix)]
        let (mut command, program) = if self.agent {
            (enlist_agent::cli::command(), "enlist-agent")
        } else {
            (cli::command(program), program)
        };
        #[cfg(not(unix))]
        let mut command = cli::command(program);
        clap_complete::generate(self.shell, &mut command, program, &mut script);
        written(std::io::Write::write_all(
            &mut std::io::stdout().lock(),
            &script,
        ))
    }
}
