//! `enlist get receipt`.

use anyhow::Context as _;
use enlist_signed::Envelope;

use crate::cli::Global;
use crate::failure::refused;
use crate::group_arg::DeviceArg;
use crate::output::{self, Format};
use crate::receipt::ReceiptShown;
use crate::say::say;

/// The receipt of a wiped device: what was erased, signed with the device's own key
///
/// The server has verified it when it came in. With -o json it comes with the device's certificate, as
/// `enlist verify receipt` takes it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetReceipt {
    #[command(flatten)]
    device: DeviceArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get receipt test-device-123 -g room2-lights
  enlist get receipt test-device-123 -g room2-lights -o json > receipt.json";

impl GetReceipt {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (group, name) = (&self.device.group.group, &self.device.name);
        let found = client.receipts(tenant.as_str(), group.as_str(), name.as_str())?;
        let count = found.items.len();
        let Some(newest) = found.items.into_iter().next() else {
            return Err(refused(
                "no-receipt",
                format!("there is no receipt of device `{name}`"),
            ));
        };
        if count > 1 {
            say!("There are {count} receipts of this device; this is the newest.");
        }
        let format = global.output.unwrap_or(Format::Table);
        if format == Format::Json {
            return output::json(&newest);
        }
        let envelope =
            Envelope::from_value(&newest.receipt.0).context("the receipt does not read")?;
        let receipt = envelope.claim().context("the receipt does not read")?;
        if newest.late {
            say!("Nobody waited for it any more when it came in.");
        }
        output::one(format, &ReceiptShown(receipt))
    }
}
