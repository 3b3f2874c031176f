//! `enlist diff …`.

use std::path::PathBuf;
use std::process::ExitCode;

use enlist_core::Name;

use crate::cli::Global;
use crate::configuration::{ValuesDraft, read_fields, told_of_trial};
use crate::failure::{self, report};
use crate::group_arg::GroupArg;

/// Say what a file would change
#[derive(Debug, clap::Args)]
pub struct Diff {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Config(DiffConfig),
}

/// Say in which fields a device would differ if the file were applied
///
/// Nothing is stated. Exit status, as of diff: 0 the same, 1 different, 2 it can't be told (3 the server
/// can't be reached).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct DiffConfig {
    /// The device; without it, it is about the whole group
    #[arg(value_name = "NAME")]
    device: Option<Name>,
    #[command(flatten)]
    group: GroupArg,
    /// The file: JSON, or TOML where its name ends so; `-` for JSON on standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  enlist diff config -g presses -f values.json
  enlist diff config -g presses press-7 -f press-7.json -o json";

impl Diff {
    /// Tells the differences, and by the exit status whether there are any.
    pub fn run(self, global: &Global) -> ExitCode {
        let Noun::Config(noun) = self.noun;
        match noun.run(global) {
            Ok(false) => ExitCode::from(failure::OK),
            Ok(true) => ExitCode::from(failure::DIFFERENT),
            Err(error) => match report(&Err(error)) {
                failed if failed == ExitCode::from(failure::FAILED) => {
                    ExitCode::from(failure::USAGE)
                }
                other => other,
            },
        }
    }
}

impl DiffConfig {
    fn run(self, global: &Global) -> anyhow::Result<bool> {
        let values = read_fields(&self.file)?;
        let (client, tenant) = global.connect()?;
        let draft = ValuesDraft {
            tenant: &tenant,
            group: &self.group.group,
            device: self.device.as_ref(),
            values,
            expects: None,
        };
        let tried = draft.try_out(&client)?;
        told_of_trial(global, &draft.what(), &tried)?;
        Ok(tried.changed)
    }
}
