//! `enlist add root`.

use crate::cli::Global;
use crate::context::management_client;
use crate::output;
use crate::roots::take_up;
use crate::say::say;

/// Make the root that is to follow the current one
///
/// The current root vouches for it, and devices take it up at their next poll. Until the current one
/// is retired everything stays under that. `enlist get rollover` says how many devices hold the next.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddRoot {}

const EXAMPLES: &str = "\
Examples:
  enlist add root
  enlist get rollover
  enlist retire root";

impl AddRoot {
    /// Makes it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let settings = global.settings()?;
        let client = management_client(&settings)?;
        let root = client.add_root()?;
        say!(
            "The next root is {}. Devices are offered it from now on.",
            root.fingerprint
        );
        say!("A group that signs for itself has to approve it: enlist approve root -g GROUP");
        take_up(&settings, std::slice::from_ref(&root))?;
        match global.output {
            Some(format) => output::one(format, &root),
            None => Ok(()),
        }
    }
}
