//! `enlist get ca-request`.

use enlist_wire::{CaRequest, Page};

use super::listing::{LimitArg, Listing};
use crate::ca::show_request;
use crate::cli::Global;
use crate::say::say;

/// The request for the tenant's issuing CA that a root from elsewhere has to sign, PEM
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct GetCaRequest {}

const EXAMPLES: &str = "\
Examples:
  enlist get ca-request > ca-request.pem
  enlist -t acme get ca-request -o json";

impl GetCaRequest {
    /// Prints it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let requests = client.ca_requests(tenant.as_str())?.items;
        if global.output.is_some() {
            let mut list = Listing::of::<CaRequest>(global, &LimitArg::default());
            list.pages(|_, _| Ok(Page::whole(requests.clone())))?;
            return list.finish();
        }
        if requests.is_empty() {
            say!("No issuing CA of tenant `{tenant}` waits to be signed.");
        }
        for request in &requests {
            show_request(global, &tenant, request)?;
        }
        Ok(())
    }
}
