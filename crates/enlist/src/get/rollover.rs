//! `enlist get rollover`.

use enlist_wire::{GroupReadiness, RolloverQuery, UnreadyDevice};
use serde::Serialize;

use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::{Format, Row, Rows};
use crate::say::say;

/// What share of the devices holds the next root
///
/// A device says which roots it holds at every poll. Counted are active devices that were seen in the
/// last 30 days; `enlist retire root` asks for all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetRollover {
    #[command(flatten)]
    group: AnyGroupArg,
    /// Every tenant that this API token may see
    #[arg(long, conflicts_with_all = ["group", "tenant"])]
    all_tenants: bool,
    /// The devices that do not hold it, by name, in place of numbers: the first 1000 of a tenant
    #[arg(long)]
    missing: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist get rollover
  enlist get rollover -g room2-lights --missing
  enlist get rollover --all-tenants -o json";

/// A group with its tenant.
#[derive(Debug, Serialize)]
struct Share {
    tenant: String,
    #[serde(flatten)]
    group: GroupReadiness,
    /// Of those that were seen, rounded down; absent where none was.
    ready_percent: Option<u64>,
}

/// A device with its tenant.
#[derive(Debug, Serialize)]
struct Missing {
    tenant: String,
    #[serde(flatten)]
    device: UnreadyDevice,
}

impl GetRollover {
    /// Counts, and prints.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let tenants = if self.all_tenants {
            let all = client.tenants()?.items;
            all.into_iter().map(|tenant| tenant.name).collect()
        } else {
            vec![tenant.to_string()]
        };
        let query = RolloverQuery {
            group: self.group.group.map(String::from),
            missing: self.missing,
        };
        let format = global.output.unwrap_or(Format::Table);
        let mut rows = if self.missing {
            Rows::of::<Missing>(format)
        } else {
            Rows::of::<Share>(format)
        };
        let (mut seen, mut ready, mut under_way) = (0, 0, false);
        for tenant in tenants {
            let rollover = client.rollover(&tenant, &query)?;
            under_way |= rollover.next.is_some();
            for group in rollover.groups {
                seen += group.seen;
                ready += group.ready;
                if !self.missing {
                    rows.push(&Share::of(&tenant, group))?;
                }
            }
            for device in rollover.missing {
                let tenant = tenant.clone();
                rows.push(&Missing { tenant, device })?;
            }
        }
        rows.finish()?;
        if !under_way {
            say!("There is no next root: `enlist add root` makes one.");
        } else if seen > 0 {
            say!(
                "{ready} of {seen} devices that were seen in the last 30 days hold the next root."
            );
        }
        Ok(())
    }
}

impl Share {
    fn of(tenant: &str, group: GroupReadiness) -> Self {
        Self {
            tenant: tenant.to_owned(),
            ready_percent: (group.ready * 100).checked_div(group.seen),
            group,
        }
    }
}

impl Row for Share {
    const COLUMNS: &'static [&'static str] = &[
        "tenant", "group", "active", "seen", "ready", "share", "silent", "approved",
    ];

    fn cells(&self) -> Vec<String> {
        let group = &self.group;
        vec![
            self.tenant.clone(),
            group.group.clone(),
            group.active.to_string(),
            group.seen.to_string(),
            group.ready.to_string(),
            self.ready_percent
                .map(|percent| format!("{percent} %"))
                .unwrap_or_default(),
            group.never_reported.to_string(),
            match group.approved {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            }
            .to_owned(),
        ]
    }
}

impl Row for Missing {
    const COLUMNS: &'static [&'static str] = &["tenant", "group", "name", "reported"];

    fn cells(&self) -> Vec<String> {
        let seen_at = self.device.seen_at.map(|at| at.to_string());
        vec![
            self.tenant.clone(),
            self.device.group.clone(),
            self.device.name.clone(),
            seen_at.unwrap_or_else(|| "never".to_owned()),
        ]
    }
}
