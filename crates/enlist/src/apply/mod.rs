//! `enlist apply …`: one noun a file.

mod config;
mod schema;

use std::path::PathBuf;

use crate::cli::Global;

/// State what devices are to have
#[derive(Debug, clap::Args)]
pub struct Apply {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Schema(schema::ApplySchema),
    Config(config::ApplyConfig),
}

/// How something is stated.
#[derive(Debug, clap::Args)]
struct Stating {
    /// The file that says it: JSON, or TOML where its name ends so; `-` for JSON on standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: PathBuf,
    /// Refuse where another statement than this one is the newest
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
    /// Check and compare alone, and state nothing
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    /// States it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Schema(noun) => noun.run(global),
            Noun::Config(noun) => noun.run(global),
        }
    }
}
