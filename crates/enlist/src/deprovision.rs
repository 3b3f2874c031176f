//! `enlist deprovision`.

use enlist_wire::DeviceAction;

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::output;
use crate::say::say;

/// Revoke a device's credentials and keep its name, so that it may be provisioned anew
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Deprovision {
    #[command(flatten)]
    device: DeviceArg,
    /// Why, for the record
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  enlist deprovision test-device-123 -g room2-lights
  enlist deprovision test-device-123 -g room2-lights --reason \"sent-back\"";

impl Deprovision {
    /// Revokes the credentials.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let action = DeviceAction {
            reason: self.reason,
            ..DeviceAction::default()
        };
        let name = &self.device.name;
        let group = self.device.group.group.as_str();
        let device = client.deprovision(tenant.as_str(), group, name.as_str(), &action)?;
        say!("Device `{name}` is deprovisioned: its credentials are revoked, its name is kept.");
        match global.output {
            Some(format) => output::one(format, &device),
            None => Ok(()),
        }
    }
}
