//! `enlist get secrets`.

use enlist_wire::{Page, Secret};
use serde::Serialize;

use super::listing::{LimitArg, Listing, groups};
use crate::cli::Global;
use crate::group_arg::AnyGroupArg;
use crate::output::Row;
use crate::secret_bounds::rate;
use crate::text::word;

/// The provisioning secrets of a group, or of all groups; never the secrets themselves
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetSecrets {
    #[command(flatten)]
    group: AnyGroupArg,
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get secrets
  enlist get secrets -g room2-lights -o json";

#[derive(Serialize)]
struct OfGroup {
    group: String,
    #[serde(flatten)]
    secret: Secret,
}

impl GetSecrets {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<OfGroup>(global, &self.limit);
        for group in groups(&client, &tenant, &self.group)? {
            list.pages(|_, _| {
                let page = client.secrets(tenant.as_str(), &group)?;
                let items = page.items.into_iter().map(|secret| OfGroup {
                    group: group.clone(),
                    secret,
                });
                Ok(Page {
                    items: items.collect(),
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

impl Row for OfGroup {
    const COLUMNS: &'static [&'static str] = &[
        "group", "label", "state", "used", "most", "rate", "networks", "manifest", "expires",
        "created", "short id", "id",
    ];

    fn cells(&self) -> Vec<String> {
        let secret = &self.secret;
        vec![
            self.group.clone(),
            secret.label.clone(),
            word(&secret.state),
            secret.used.to_string(),
            secret
                .max_devices
                .map_or_else(String::new, |most| most.to_string()),
            secret.rate.map_or_else(String::new, rate),
            secret.networks.join(" "),
            secret.manifest.clone().unwrap_or_default(),
            secret
                .expires_at
                .map_or_else(String::new, |at| at.to_string()),
            secret.created_at.to_string(),
            secret.short_id.clone(),
            secret.secret_id.to_string(),
        ]
    }
}
