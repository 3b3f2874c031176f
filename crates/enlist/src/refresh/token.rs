//! `enlist refresh token`.

use enlist_wire::Order;

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::orders;

/// Order a device to take a new device token
///
/// The device makes it. The token before stays good until the device has said that it holds the new one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshToken {
    #[command(flatten)]
    device: DeviceArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh token test-device-123 -g room2-lights";

impl RefreshToken {
    /// Orders it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        orders::give(global, &self.device, Order::RotateToken)
    }
}
