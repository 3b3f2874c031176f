//! `enlist get schema`.

use enlist_wire::{ConfigurationEntry, GroupSchema};

use super::config::query;
use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output::{self, Row};
use crate::say::say;

/// The schema of a group's configuration
///
/// Printed as the file that `apply schema` takes; `-o json` adds its migrations, who stated it and when,
/// and the signed statement.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetSchema {
    #[command(flatten)]
    group: GroupArg,
    /// An earlier statement
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    /// What was stated, newest first: who, when, and what it changed
    #[arg(long, conflicts_with = "version")]
    history: bool,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get schema -g presses > schema.json
  enlist get schema -g presses --history";

impl GetSchema {
    /// Shows it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (tenant, group) = (tenant.as_str(), self.group.group.as_str());
        if self.history {
            let mut list = Listing::of::<ConfigurationEntry>(global, &self.limit);
            list.pages(|after, limit| client.schema_history(tenant, group, &query(after, limit)))?;
            return list.finish();
        }
        let found = client.schema(tenant, group, self.version)?;
        if let Some(format) = global.output {
            return output::one(format, &found);
        }
        say!(
            "Statement {}: schema version {}, of {} by {}.",
            found.version,
            found.schema_version,
            found.at,
            found.by
        );
        output::document(&found.schema)
    }
}

impl Row for GroupSchema {
    const COLUMNS: &'static [&'static str] = &["version", "schema_version", "at", "by", "schema"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.version.to_string(),
            self.schema_version.to_string(),
            self.at.to_string(),
            self.by.clone(),
            self.schema.to_string(),
        ]
    }
}
