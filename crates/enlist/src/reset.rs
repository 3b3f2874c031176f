//! `enlist reset config`.

use enlist_wire::Order;

use crate::cli::Global;
use crate::group_arg::DeviceArg;
use crate::orders;

/// Bring something back to its factory defaults
#[derive(Debug, clap::Args)]
pub struct Reset {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Config(ResetConfig),
}

/// Order a device to go back to the defaults of its configuration schema
///
/// What is stated for the group and the device stays stated; the device takes it again with the next
/// statement that has a higher number. Where the group's operators sign by themselves, this order needs
/// their signature: give --signing-method and the key or command.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct ResetConfig {
    #[command(flatten)]
    device: DeviceArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist reset config test-device-123 -g room2-lights
  enlist --signing-method local --signing-key signing.pem reset config press-7 -g presses";

impl Reset {
    /// Orders it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let Noun::Config(noun) = self.noun;
        orders::give(global, &noun.device, Order::ResetConfiguration)
    }
}
