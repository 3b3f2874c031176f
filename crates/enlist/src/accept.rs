//! `enlist accept hardware`.

use enlist_wire::Order;

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::orders;

/// Say that a change on a device is meant to be
#[derive(Debug, clap::Args)]
pub struct Accept {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Hardware(AcceptHardware),
}

/// Say that a device is meant to be on the hardware that it finds itself on
///
/// A device notices when its disk sits in another board, or was copied. Where the group's policy is to
/// ask, it goes on reporting and renews nothing until this order. `enlist get device` shows what it
/// found.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct AcceptHardware {
    #[command(flatten)]
    device: DeviceArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get device test-device-123 -g room2-lights
  enlist accept hardware test-device-123 -g room2-lights";

impl Accept {
    /// Orders it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let Noun::Hardware(noun) = self.noun;
        orders::give(global, &noun.device, Order::AcceptHardware)
    }
}
