//! `enlist retire root`.

use enlist_wire::RetireRoot;

use crate::cli::Global;
use crate::context::management_client;
use crate::output;
use crate::roots::take_up;
use crate::say::say;

/// Put the next root in the place of the current one
///
/// The server's certificate and every tenant's issuing CA stand under the next root from then on, over
/// the keys they have: what devices hold and what brokers anchor at stays good. A device that does not
/// hold the next root can't reach the server any more, until it is given a new configuration file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Root {
    /// How many in a hundred of the devices seen in the last 30 days have to hold the next root
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: u8,
    /// Go on where fewer do, and lose them
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist retire root
  enlist retire root --threshold 99
  enlist retire root --force";

impl Root {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = global.settings()?;
        let client = management_client(&settings)?;
        // Before it is done: afterwards, whoever knows the old one alone is outside.
        take_up(&settings, &client.roots()?.items)?;
        let root = client.retire_root(&RetireRoot {
            threshold: Some(self.threshold),
            force: self.force,
        })?;
        say!(
            "The old root is retired; everything stands under {} now.",
            root.fingerprint
        );
        say!(
            "Other servers on the same database take it up within a minute. `enlist get roots` prints it."
        );
        match global.output {
            Some(format) => output::one(format, &root),
            None => Ok(()),
        }
    }
}
