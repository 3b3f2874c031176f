//! `enlist get tenants`.

use enlist_wire::Tenant;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::output::Row;
use crate::text::word;

/// The tenants that this API token may see
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetTenants {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "Examples:\n  enlist get tenants\n  enlist get tenants -o json";

impl GetTenants {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, _) = global.connect()?;
        let mut list = Listing::of::<Tenant>(global, &self.limit);
        list.pages(|_, _| client.tenants())?;
        list.finish()
    }
}

impl Row for Tenant {
    const COLUMNS: &'static [&'static str] = &["name", "state", "created", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            word(&self.state),
            self.created_at.to_string(),
            self.tenant_id.to_string(),
        ]
    }
}
