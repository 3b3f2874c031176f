//! `enlist get events`.

use enlist_core::{Clock, Name, SystemClock};
use enlist_wire::{Event, EventsQuery, Time};

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;
use crate::span::Span;

/// What happened, to what, by whom, when
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetEvents {
    #[command(flatten)]
    group: AnyGroupArg,
    /// Only what happened to the devices that are or were called so; needs -g
    #[arg(long, value_name = "NAME", requires = "group")]
    device: Option<Name>,
    /// Only this kind, such as device-enrolled
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only what was done by the token of this label, or by token:ID, device:ID, newcomer or server
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// Only what has happened since: a time such as 2026-01-31T08:00:00Z, or 90m, 24h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Time>,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get events
  enlist get events --kind token-created --since 7d
  enlist get events --actor night-shift
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
                kind: self.kind.clone(),
                actor: self.actor.clone(),
                since: self.since,
                after,
                limit: Some(limit),
            };
            client.events(tenant.as_str(), &query)
        })?;
        list.finish()
    }
}

fn since(text: &str) -> Result<Time, String> {
    if let Ok(span) = text.parse::<Span>() {
        let millis = i64::try_from(span.0)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000);
        let now = SystemClock.now().as_millis();
        return Ok(Time::from_millis(now.saturating_sub(millis)));
    }
    serde_json::from_value(text.into()).map_err(|_| {
        "expected a time such as 2026-01-31T08:00:00Z, or a span such as 24h".to_owned()
    })
}

impl Row for Event {
    const COLUMNS: &'static [&'static str] = &["at", "kind", "group", "device", "by", "detail"];

    fn cells(&self) -> Vec<String> {
        let detail = self.detail.iter().map(|(key, value)| match value {
            serde_json::Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        });
        let mark = self
            .unreadable
            .then(|| "(unreadable: changed in the database)".to_owned());
        vec![
            self.at.to_string(),
            self.kind.clone(),
            self.group.clone().unwrap_or_default(),
            self.device.clone().unwrap_or_default(),
            match &self.by_label {
                Some(label) => format!("{} ({label})", self.by),
                None => self.by.clone(),
            },
            mark.into_iter().chain(detail).collect::<Vec<_>>().join(" "),
        ]
    }
}
