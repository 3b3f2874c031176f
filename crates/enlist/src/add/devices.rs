//! `enlist add devices`: many at once.

use std::path::PathBuf;

use crate::bulk::{self, Items, Source};
use crate::cli::Global;
use crate::group_arg::GroupArg;

/// Create many devices in one call
///
/// The names are made from a prefix and a number, or read from a file with a name on each line
/// (empty lines are passed over). Names that are there already are counted as existing: started again
/// after an interruption, the command finishes the rest. Refused names are always told on standard
/// error, with the reason; -o json prints a result for each name as one array.
///
/// The file of --names-file is written when all names are there, and then holds each of them once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddDevices {
    #[command(flatten)]
    group: GroupArg,
    /// How many
    #[arg(long, value_name = "COUNT", requires = "prefix", required_unless_present = "from",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    count: Option<u64>,
    /// What every name begins with; a number follows
    #[arg(long, value_name = "PREFIX", requires = "count")]
    prefix: Option<String>,
    /// The first number
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "prefix",
          value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    start: u64,
    /// The file with the names; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["count", "prefix"])]
    from: Option<PathBuf>,
    /// Write the names of all the devices to this file
    #[arg(long, value_name = "FILE")]
    names_file: Option<PathBuf>,
    /// Tell of each device, not only of those that were refused
    #[arg(short = 'v', long)]
    verbose: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist add devices -g room2-lights --count 100000 --prefix test-device- --names-file names.txt
  enlist add devices -g room2-lights --from names.txt
  enlist add devices -g room2-lights --from - -o json";

impl AddDevices {
    /// Creates the devices.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let source = match (self.from, self.count, self.prefix) {
            (Some(file), _, _) => Source::Lines(file),
            (None, Some(count), Some(prefix)) => Source::range(count, prefix, self.start)?,
            _ => anyhow::bail!("neither --count nor --from was given"),
        };
        let call = bulk::Call {
            items: Items::Devices,
            path: format!("groups/{}/devices/bulk", self.group.group),
            source,
            names_file: self.names_file,
            format: global.output,
            verbose: self.verbose,
        };
        bulk::run(&global.settings()?, call)
    }
}
