//! `enlist get events`.

use enlist_core::Name;
use enlist_wire::{Event, EventsQuery};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;

/// What happened, to what, by whom, when
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetEvents {
    #[command(flatten)]
    group: AnyGroupArg,
    /// Only what happened to this device; needs -g
    #[arg(long, value_name = "NAME", requires = "group")]
    device: Option<Name>,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get events
  enlist get events -g room2-lights --device test-device-123 -o json";

impl GetEvents {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Event>(global, &self.limit);
        list.pages(|after, limit| {
            let query = EventsQuery {
                group: self.group.group.as_ref().map(ToString::to_string),
                device: self.device.as_ref().map(ToString::to_string),
                after,
                limit: Some(limit),
            };
            client.events(tenant.as_str(), &query)
        })?;
        list.finish()
    }
}

impl Row for Event {
    const COLUMNS: &'static [&'static str] = &["at", "kind", "group", "device", "by", "detail"];

    fn cells(&self) -> Vec<String> {
        let detail = self.detail.iter().map(|(key, value)| match value {
            serde_json::Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        });
        vec![
            self.at.to_string(),
            self.kind.clone(),
            self.group.clone().unwrap_or_default(),
            self.device.clone().unwrap_or_default(),
            self.by.clone(),
            detail.collect::<Vec<_>>().join(" "),
        ]
    }
}
