//! `enlist renew ca`.

use crate::ca::show_added;
use crate::cli::Global;
use crate::say::say;

/// Extend the life of something, as it is
#[derive(Debug, clap::Args)]
pub struct Renew {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Ca(RenewCa),
}

/// Give the tenant's issuing CA a new certificate over the key that it has
///
/// What it has issued, and what brokers and proxies anchor at, stays good. The server does it by itself
/// where less than a fifth of the CA's life is left and the root is here. Where the root is offline, or
/// is one of your own, the request is printed. To change the key: `enlist add ca`, `enlist retire ca`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct RenewCa {}

const EXAMPLES: &str = "\
Examples:
  enlist renew ca
  enlist -t acme renew ca > ca-request.pem";

impl Renew {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let Noun::Ca(RenewCa {}) = self.noun;
        let (client, tenant) = global.connect()?;
        let renewed = client.renew_ca(tenant.as_str())?;
        if let Some(ca) = &renewed.ca {
            say!(
                "The issuing CA of tenant `{tenant}` is good until {}.",
                ca.not_after
            );
        }
        show_added(global, &tenant, &renewed)
    }
}
