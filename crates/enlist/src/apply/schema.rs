//! `enlist apply schema`.

use std::path::PathBuf;

use super::Stating;
use crate::cli::Global;
use crate::configuration::{SchemaDraft, read_list, read_value, told, told_of_trial};
use crate::group_arg::GroupArg;

/// State the schema of a group's configuration
///
/// JSON Schema 2020-12, each field with a default. The first is schema version 1, each other one the next;
/// the same again is nothing new. From the second on, say how values of the version before become values
/// of this one: by a file with a list of steps (rename, remove, set, map, scale), or that they stay as
/// they are. What is stated already has to fit then, or the schema is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ApplySchema {
    #[command(flatten)]
    group: GroupArg,
    #[command(flatten)]
    stating: Stating,
    /// A list of steps from the schema version before, JSON
    #[arg(long, value_name = "FILE", conflicts_with = "no_migrations")]
    migrations: Option<PathBuf>,
    /// Values of the schema version before stay as they are
    #[arg(long)]
    no_migrations: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist apply schema -g presses -f schema.json
  enlist apply schema -g presses -f schema.json --migrations to-version-2.json --dry-run
  enlist apply schema -g presses -f schema.json --signing-method local --signing-key signing.pem";

impl ApplySchema {
    /// States the schema.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let migrations = match (&self.migrations, self.no_migrations) {
            (Some(path), _) => Some(read_list(path)?),
            (None, true) => Some(Vec::new()),
            (None, false) => None,
        };
        let schema = read_value(&self.stating.file)?;
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let draft = SchemaDraft {
            tenant: &tenant,
            group,
            schema,
            migrations,
            expects: self.stating.if_version,
        };
        let what = format!("schema of group `{group}`");
        if self.stating.dry_run {
            return told_of_trial(global, &what, &draft.try_out(&client)?);
        }
        let applied = draft.state(global, &client)?;
        told(global, &what, &applied)
    }
}
