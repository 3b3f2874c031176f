//! `enlist retire …`: one noun a file.

mod ca;
mod root;

use crate::cli::Global;

/// Take something out of use for good
#[derive(Debug, clap::Args)]
pub struct Retire {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Root(root::Root),
    Ca(ca::Ca),
}

impl Retire {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Root(noun) => noun.run(global),
            Noun::Ca(noun) => noun.run(global),
        }
    }
}
