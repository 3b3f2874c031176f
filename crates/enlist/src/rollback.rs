//! `enlist rollback …`: the same as before, under a new number.

use enlist_core::Name;
use enlist_wire::RollbackRequest;

use crate::cli::Global;
use crate::configuration::{ValuesDraft, earlier_values, restate_schema, told, told_of_trial};
use crate::group_arg::GroupArg;
use crate::say::say;

/// Go back to what was stated before
///
/// Numbers only rise: going back states the same again, under the next number.
#[derive(Debug, clap::Args)]
pub struct Rollback {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Config(RollbackConfig),
    Schema(RollbackSchema),
}

/// Where to go back to.
#[derive(Debug, clap::Args)]
struct Back {
    /// The number of the statement to go back to (`enlist get config --history` shows them)
    #[arg(long, value_name = "VERSION")]
    to: u64,
    /// Refuse where another statement than this one is the newest
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
    /// Check and compare alone, and state nothing
    #[arg(long)]
    dry_run: bool,
}

/// Go back to an earlier configuration of a group, or of one device of it
///
/// Values of an older schema version are led to the one in force. Where the operators sign, this takes an
/// administrator: the statement has to be read, and secrets stand in it.
#[derive(Debug, clap::Args)]
#[command(after_help = CONFIG_EXAMPLES)]
struct RollbackConfig {
    /// The device; without it, it is about the whole group
    #[arg(value_name = "NAME")]
    device: Option<Name>,
    #[command(flatten)]
    group: GroupArg,
    #[command(flatten)]
    back: Back,
}

const CONFIG_EXAMPLES: &str = "\
Examples:
  enlist rollback config -g presses --to 3
  enlist rollback config -g presses press-7 --to 1 --dry-run";

/// Go back to an earlier schema of a group's configuration
///
/// The schema comes back with its version, and devices go back to the values that they had under it.
#[derive(Debug, clap::Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
struct RollbackSchema {
    #[command(flatten)]
    group: GroupArg,
    #[command(flatten)]
    back: Back,
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  enlist rollback schema -g presses --to 1";

impl Rollback {
    /// Goes back.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Config(noun) => noun.run(global),
            Noun::Schema(noun) => noun.run(global),
        }
    }
}

impl Back {
    fn request(&self) -> RollbackRequest {
        RollbackRequest {
            to: self.to,
            expects: self.if_version,
            dry_run: self.dry_run,
        }
    }
}

impl RollbackConfig {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let (group, device) = (&self.group.group, self.device.as_ref());
        let draft = |values| ValuesDraft {
            tenant: &tenant,
            group,
            device,
            values,
            expects: self.back.if_version,
        };
        let what = draft(serde_json::Map::new()).what();
        if global.signing.is_own() && !self.back.dry_run {
            let at = draft(serde_json::Map::new());
            let values = earlier_values(global, &client, &at, self.back.to)?;
            return told(global, &what, &draft(values).state(global, &client)?);
        }
        let name = device.map(Name::as_str);
        let request = self.back.request();
        let applied =
            client.rollback_configuration(tenant.as_str(), group.as_str(), name, &request)?;
        match self.back.dry_run {
            true => told_of_trial(global, &what, &applied),
            false => told(global, &what, &applied),
        }
    }
}

impl RollbackSchema {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let what = format!("schema of group `{group}`");
        let request = self.back.request();
        if self.back.dry_run {
            let tried = client.rollback_schema(tenant.as_str(), group.as_str(), &request)?;
            return told_of_trial(global, &what, &tried);
        }
        let applied = match global.signing.is_own() {
            true => restate_schema(global, &client, (&tenant, group), &request)?,
            false => client.rollback_schema(tenant.as_str(), group.as_str(), &request)?,
        };
        told(global, &what, &applied)?;
        say!(
            "Devices that never had values of schema version {} have none now: `enlist rollback config -g {group} --to VERSION` states them anew.",
            applied.schema_version
        );
        Ok(())
    }
}
