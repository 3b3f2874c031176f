//! `enlist get devices`.

use enlist_wire::{Device, DeviceState, DevicesQuery};

use super::listing::{LimitArg, Listing, groups};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;
use crate::text::{one_of, word};

/// The devices of a group, or of all groups
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetDevices {
    #[command(flatten)]
    group: AnyGroupArg,
    /// Only those in this state
    #[arg(long, value_name = "STATE",
          value_parser = one_of::<DeviceState>(&["created", "pending", "active", "suspended", "decommissioning", "decommissioned"]))]
    state: Option<DeviceState>,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get devices
  enlist get devices -g room2-lights --state active -o csv > active.csv
  enlist get devices -o json | jq -r '.[].name'";

impl GetDevices {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Device>(global, &self.limit);
        for group in groups(&client, &tenant, &self.group)? {
            list.pages(|after, limit| {
                let query = DevicesQuery {
                    after,
                    limit: Some(limit),
                    state: self.state,
                };
                client.devices(tenant.as_str(), &group, &query)
            })?;
            if list.is_full() {
                break;
            }
        }
        list.finish()
    }
}

impl Row for Device {
    const COLUMNS: &'static [&'static str] = &[
        "group",
        "name",
        "state",
        "serial",
        "not after",
        "labels",
        "id",
    ];

    fn cells(&self) -> Vec<String> {
        let labels = self.labels.iter();
        let labels: Vec<_> = labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let certificate = self.certificate.as_ref();
        vec![
            self.group.clone(),
            self.name.clone(),
            word(&self.state),
            certificate.map_or_else(String::new, |one| one.serial.clone()),
            certificate.map_or_else(String::new, |one| one.not_after.to_string()),
            labels.join(" "),
            self.device_id.to_string(),
        ]
    }
}
