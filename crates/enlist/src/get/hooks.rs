//! `enlist get hooks`.

use enlist_wire::Hook;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;

/// The hooks of a tenant's groups
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetHooks {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "\
Examples:
  enlist get hooks
  enlist -t acme get hooks -o json";

impl GetHooks {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Hook>(global, &self.limit);
        list.pages(|_, _| client.hooks(tenant.as_str()))?;
        list.finish()
    }
}

impl Row for Hook {
    const COLUMNS: &'static [&'static str] =
        &["group", "url", "timeout", "created", "old secret until"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group.clone(),
            self.url.clone(),
            format!("{} ms", self.timeout_ms),
            self.created_at.to_string(),
            self.old_secret_until
                .map_or_else(String::new, |at| at.to_string()),
        ]
    }
}
