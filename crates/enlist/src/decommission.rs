//! `enlist decommission device`: ordered, waited for, or given up.

use std::time::Duration;

use enlist_wire::{Client, Device, DeviceAction, DeviceState, Order};

use crate::cli::Global;
use crate::failure::refused;
use crate::lifecycle::Target;
use crate::orders;
use crate::output;
use crate::progress;
use crate::say::say;
use crate::text::{shown, word};

/// How often the server is asked whether the receipt is there.
const A_LOOK: Duration = Duration::from_secs(1);

/// What `decommission` takes.
#[derive(Debug, clap::Args)]
pub struct Decommission {
    #[command(flatten)]
    target: Target,
    /// Wait until the device's receipt is there
    #[arg(long, conflicts_with = "give_up")]
    wait: bool,
    /// Stop waiting for the device's receipt: revoke what it holds, whether it was wiped or not
    #[arg(long)]
    give_up: bool,
}

impl Decommission {
    /// Orders the device to wipe itself, or gives up waiting for it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (tenant, at) = (tenant.as_str(), &self.target.device);
        let (group, name) = (at.group.group.as_str(), at.name.as_str());
        let known = client.device(tenant, group, name)?;
        let waits = known.state == DeviceState::Decommissioning;
        let device = if waits && self.wait {
            // Begun before, and waited for again.
            known
        } else {
            let envelope = if self.give_up {
                None
            } else {
                orders::completed(global, &client, tenant, at, Order::Wipe)?
            };
            let action = DeviceAction {
                reason: self.target.reason.clone(),
                give_up: self.give_up,
                envelope,
                ..DeviceAction::default()
            };
            client.decommission(tenant, group, name, &action)?
        };
        tell(&device);
        let device = if self.wait {
            wait(&client, tenant, device)?
        } else {
            device
        };
        match global.output {
            Some(format) => output::one(format, &device),
            None => Ok(()),
        }
    }
}

fn tell(device: &Device) {
    let (name, group) = (shown(&device.name), shown(&device.group));
    if device.state == DeviceState::Decommissioning {
        say!(
            "Device `{name}` is ordered to wipe itself: it learns of it at its next poll, and hands in a receipt. Until then it may do nothing else. `enlist get device {name} -g {group}` tells how far it is; `--give-up` ends the wait for one that is lost."
        );
    } else {
        say!("Device `{name}` is {}.", word(&device.state));
    }
}

fn wait(client: &Client, tenant: &str, mut device: Device) -> anyhow::Result<Device> {
    let bar = progress::spinner("waiting for the receipt");
    while device.state == DeviceState::Decommissioning {
        std::thread::sleep(A_LOOK);
        device = client.device(tenant, &device.group, &device.name)?;
    }
    bar.finish_and_clear();
    let (name, group) = (shown(&device.name), shown(&device.group));
    match (device.state, device.receipt_at) {
        (DeviceState::Decommissioned, Some(at)) => {
            say!(
                "Device `{name}` was wiped, and its receipt came in at {at}: `enlist get receipt {name} -g {group}` shows it."
            );
            Ok(device)
        }
        _ => Err(refused(
            "no-receipt",
            format!(
                "device `{name}` is {} by now, and no receipt came: somebody has given up waiting",
                word(&device.state)
            ),
        )),
    }
}
