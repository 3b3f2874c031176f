//! `enlist get groups`.

use enlist_wire::Group;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;
use crate::text::word;

/// The groups of a tenant
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetGroups {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "Examples:\n  enlist get groups\n  enlist -t acme get groups -o json";

impl GetGroups {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Group>(global, &self.limit);
        list.pages(|_, _| client.groups(tenant.as_str()))?;
        list.finish()
    }
}

impl Row for Group {
    const COLUMNS: &'static [&'static str] = &["name", "enrollment", "lifetime", "created", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            word(&self.enrollment),
            format!("{} h", self.profile.lifetime_h),
            self.created_at.to_string(),
            self.group_id.to_string(),
        ]
    }
}
