//! `enlist get config`.

use enlist_core::Name;
use enlist_wire::{Configuration, ConfigurationEntry, ConfigurationQuery, HistoryQuery};
use serde_json::Value;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output::{self, Row};
use crate::say::say;

/// The configuration that is stated for a group, or for one device of it
///
/// Printed as the file that `apply config` takes; `-o json` adds who stated it and when. Secrets are
/// masked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetConfig {
    /// The device; without it, it is about the whole group
    #[arg(value_name = "NAME")]
    device: Option<Name>,
    #[command(flatten)]
    group: GroupArg,
    /// The whole that devices make of it: defaults, the group's values, the device's own
    #[arg(long)]
    effective: bool,
    /// Show secrets, which takes an administrator
    #[arg(long)]
    reveal: bool,
    /// An earlier statement
    #[arg(long, value_name = "VERSION", conflicts_with = "effective")]
    version: Option<u64>,
    /// What was stated, newest first: who, when, and what it changed
    #[arg(long, conflicts_with_all = ["version", "reveal", "effective"])]
    history: bool,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get config -g presses
  enlist get config -g presses press-7 --effective
  enlist get config -g presses --history";

impl GetConfig {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (tenant, group) = (tenant.as_str(), self.group.group.as_str());
        let device = self.device.as_ref().map(Name::as_str);
        if self.history {
            let mut list = Listing::of::<ConfigurationEntry>(global, &self.limit);
            list.pages(|after, limit| {
                client.configuration_history(tenant, group, device, &query(after, limit))
            })?;
            return list.finish();
        }
        let query = ConfigurationQuery {
            version: self.version,
            effective: self.effective,
            reveal: self.reveal,
        };
        let found = client.configuration(tenant, group, device, &query)?;
        if let Some(format) = global.output {
            return output::one(format, &found);
        }
        match (&found.at, &found.by) {
            (Some(at), Some(by)) => say!(
                "Statement {}, under schema version {}, of {at} by {by}.",
                found.version,
                found.schema_version
            ),
            _ => say!("Nothing is stated: the schema's defaults hold."),
        }
        output::document(&Value::Object(found.effective.unwrap_or(found.values)))
    }
}

/// The part of a history that a listing asks for.
pub(super) fn query(after: Option<String>, limit: u32) -> HistoryQuery {
    HistoryQuery {
        after: after.and_then(|after| after.parse().ok()),
        limit: Some(limit.min(100)),
    }
}

impl Row for Configuration {
    const COLUMNS: &'static [&'static str] = &["version", "schema_version", "at", "by", "values"];

    fn cells(&self) -> Vec<String> {
        let values = self.effective.as_ref().unwrap_or(&self.values);
        vec![
            self.version.to_string(),
            self.schema_version.to_string(),
            self.at.map(|at| at.to_string()).unwrap_or_default(),
            self.by.clone().unwrap_or_default(),
            Value::Object(values.clone()).to_string(),
        ]
    }
}

impl Row for ConfigurationEntry {
    const COLUMNS: &'static [&'static str] = &["version", "schema_version", "at", "by", "changes"];

    fn cells(&self) -> Vec<String> {
        let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let changes = self.changes.iter().map(|change| {
            format!(
                "{}: {} -> {}",
                change.pointer,
                shown(&change.from),
                shown(&change.to)
            )
        });
        vec![
            self.version.to_string(),
            self.schema_version.to_string(),
            self.at.to_string(),
            self.by.clone(),
            changes.collect::<Vec<_>>().join("; "),
        ]
    }
}
