//! `enlist get pending`.

use enlist_wire::{Device, DeviceState, DevicesQuery, Page};
use serde::Serialize;

use super::listing::{LimitArg, Listing, groups};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;

/// The devices that wait for a person to say yes, with the code that each of them shows
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetPending {
    #[command(flatten)]
    group: AnyGroupArg,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get pending
  enlist get pending -g field-units -o json";

#[derive(Serialize)]
#[serde(transparent)]
struct Waiting(Device);

impl GetPending {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Waiting>(global, &self.limit);
        for group in groups(&client, &tenant, &self.group)? {
            list.pages(|after, limit| {
                let query = DevicesQuery {
                    after,
                    limit: Some(limit),
                    state: Some(DeviceState::Pending),
                };
                let page = client.devices(tenant.as_str(), &group, &query)?;
                Ok(Page {
                    items: page.items.into_iter().map(Waiting).collect(),
                    next: page.next,
                })
            })?;
            if list.is_full() {
                break;
            }
        }
        list.finish()
    }
}

impl Row for Waiting {
    const COLUMNS: &'static [&'static str] = &["group", "name", "code", "since", "hardware"];

    fn cells(&self) -> Vec<String> {
        let pending = self.0.pending.as_ref();
        let hardware = self.0.hardware.as_ref();
        vec![
            self.0.group.clone(),
            self.0.name.clone(),
            pending.map_or_else(String::new, |pending| pending.code.clone()),
            pending.map_or_else(String::new, |pending| pending.since.to_string()),
            hardware.map_or_else(String::new, |hardware| {
                format!("{}:{}", crate::text::word(&hardware.kind), hardware.value)
            }),
        ]
    }
}
