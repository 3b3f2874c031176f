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
}

const EXAMPLES: &str = "\
Examples:
  enlist completions bash > /etc/bash_completion.d/enlist
  enlist completions zsh > ~/.zfunc/_enlist
  enlist completions fish > ~/.config/fish/completions/enlist.fish";

impl Completions {
    /// Prints them, for the name that the program was called by.
    pub fn run(self, program: &str) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli::command(program), program, &mut script);
        written(std::io::Write::write_all(
            &mut std::io::stdout().lock(),
            &script,
        ))
    }
}
