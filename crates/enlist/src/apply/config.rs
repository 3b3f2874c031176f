//! `enlist apply config`.

use enlist_core::Name;

use super::Stating;
use crate::cli::Global;
use crate::configuration::{ValuesDraft, read_fields, told, told_of_trial};
use crate::group_arg::GroupArg;

/// State the configuration of a group, or of one device of it
///
/// The file holds some of the schema's fields, or none: what it does not say comes from below, a device's
/// from its group and a group's from the schema's defaults. It takes the place of what was stated before
/// as a whole. Devices fetch it at their next poll and put it into force if it fits.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ApplyConfig {
    /// The device; without it, it is for the whole group
    #[arg(value_name = "NAME")]
    device: Option<Name>,
    #[command(flatten)]
    group: GroupArg,
    #[command(flatten)]
    stating: Stating,
}

const EXAMPLES: &str = "\
Examples:
  enlist apply config -g presses -f values.json
  enlist apply config -g presses press-7 -f press-7.toml
  enlist apply config -g presses -f values.json --signing-method local --signing-key signing.pem";

impl ApplyConfig {
    /// States the values.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let values = read_fields(&self.stating.file)?;
        let (client, tenant) = global.connect()?;
        let draft = ValuesDraft {
            tenant: &tenant,
            group: &self.group.group,
            device: self.device.as_ref(),
            values,
            expects: self.stating.if_version,
        };
        let what = draft.what();
        if self.stating.dry_run {
            return told_of_trial(global, &what, &draft.try_out(&client)?);
        }
        let applied = draft.state(global, &client)?;
        told(global, &what, &applied)
    }
}
