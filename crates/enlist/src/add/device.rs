//! `enlist add device`.

use std::collections::BTreeMap;

use enlist_core::{HardwareIdentity, Name};
use enlist_wire::NewDevice;

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output;
use crate::say::say;
use crate::text::claimed;

/// Create a device, so that it may enroll by its name or its hardware
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddDevice {
    /// Its name, unique in its group
    #[arg(value_name = "NAME")]
    name: Name,
    #[command(flatten)]
    group: GroupArg,
    /// A label, such as region=north; may be given again
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The hardware that it will be, such as serial:C02XK1, mac:…, uuid:… or named:…
    #[arg(long, value_name = "KIND:VALUE")]
    hardware: Option<HardwareIdentity>,
}

const EXAMPLES: &str = "\
Examples:
  enlist add device -g room2-lights test-device-123
  enlist add device -g presses press-7 --label region=north --hardware serial:C02XK1";

impl AddDevice {
    /// Creates the device.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let request = NewDevice {
            name: self.name.to_string(),
            labels: self.labels.into_iter().collect::<BTreeMap<_, _>>(),
            hardware: self.hardware.as_ref().map(claimed),
        };
        let device = client.create_device(tenant.as_str(), group.as_str(), &request)?;
        say!("Device `{}` is there, in group `{group}`.", self.name);
        match global.output {
            Some(format) => output::one(format, &device),
            None => Ok(()),
        }
    }
}

/// Reads a label as it is typed.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a label is written KEY=VALUE, such as region=north".into()),
    }
}
