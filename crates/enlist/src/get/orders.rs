//! `enlist get orders`.

use enlist_wire::{DeviceOrder, OrdersQuery};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::DeviceArg;

/// The orders that a device was given, and what came of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetOrders {
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get orders test-device-123 -g room2-lights
  enlist get orders test-device-123 -g room2-lights -o json";

impl GetOrders {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (group, name) = (&self.device.group.group, &self.device.name);
        let mut list = Listing::of::<DeviceOrder>(global, &self.limit);
        list.pages(|after, limit| {
            let query = OrdersQuery {
                after,
                limit: Some(limit),
            };
            client.orders(tenant.as_str(), group.as_str(), name.as_str(), &query)
        })?;
        list.finish()
    }
}
