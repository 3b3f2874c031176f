//! `enlist get cas`.

use enlist_wire::Ca;

use super::listing::{LimitArg, Listing};
use crate::cli::Global;
use crate::say::say;

/// The issuing CAs of a tenant: next, current and retired
///
/// A retired one is needed for as long as certificates under it are valid: until its last expiry.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetCas {
    #[command(flatten)]
    limit: LimitArg,
}

const EXAMPLES: &str = "Examples:\n  enlist get cas\n  enlist -t acme get cas -o json";

impl GetCas {
    /// Lists them.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let mut list = Listing::of::<Ca>(global, &self.limit);
        let mut none = true;
        list.pages(|_, _| {
            let page = client.cas(tenant.as_str())?;
            none = page.items.is_empty();
            Ok(page)
        })?;
        list.finish()?;
        if none && global.output.is_none() {
            say!(
                "Tenant `{tenant}` awaits its issuing CA: see `enlist -t {tenant} get ca-request`."
            );
        }
        Ok(())
    }
}
