//! `enlist get webhooks`.

use enlist_wire::Webhook;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;

/// The webhooks of a tenant, and how far each was told
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetWebhooks {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get webhooks
  enlist -t acme get webhooks -o json";

impl GetWebhooks {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Webhook>(global, &self.limit);
        list.pages(|_, _| client.webhooks(tenant.as_str()))?;
        list.finish()
    }
}

impl Row for Webhook {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "url",
        "group",
        "kinds",
        "told",
        "behind",
        "dead letters",
        "failing since",
        "error",
    ];

    fn cells(&self) -> Vec<String> {
        let group = match (&self.group, self.one_group) {
            (Some(group), _) => group.clone(),
            (None, true) => "(deleted)".to_owned(),
            (None, false) => String::new(),
        };
        vec![
            self.name.clone(),
            self.url.clone(),
            group,
            self.kinds.as_deref().unwrap_or_default().join(" "),
            self.told.to_string(),
            self.behind.to_string(),
            self.dead_letters.to_string(),
            self.failing_since
                .map_or_else(String::new, |at| at.to_string()),
            self.error.clone().unwrap_or_default(),
        ]
    }
}
