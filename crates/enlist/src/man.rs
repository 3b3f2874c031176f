//! `enlist man`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli;
use crate::failure::written;
use crate::say::say;

/// Print the manual page, or write one for each command, the agent's too, into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Man {
    /// The directory to write all pages into
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist man | man -l -
  enlist man /usr/local/share/man/man1";

impl Man {
    /// Prints or writes them.
    pub fn run(self, program: &str) -> anyhow::Result<()> {
        let command = cli::command(program);
        let Some(directory) = self.directory else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .context("the manual page can't be made")?;
            return written(std::io::stdout().lock().write_all(&page));
        };
        std::fs::create_dir_all(&directory)
            .and_then(|()| clap_mangen::generate_to(command, &directory))
            .and_then(|()| agent_pages(&directory))
            .with_context(|| format!("`{}` can't be written", directory.display()))?;
        say!("The manual pages are in `{}`.", directory.display());
        Ok(())
    }
}

#[cfg(unix)]
fn agent_pages(directory: &Path) -> std::io::Result<()> {
    clap_mangen::generate_to(enlist_agent::cli::command(), directory)
}

/// There is no agent for this system.
#[cfg(not(unix))]
fn agent_pages(_: &Path) -> std::io::Result<()> {
    Ok(())
}
