//! `enlist add ca`.

use enlist_wire::NewCa;

use crate::ca::show_added;
use crate::cli::Global;
use crate::say::say;

/// Make the issuing CA that is to follow the tenant's current one
///
/// Nothing is issued under it until `enlist retire ca`; until then brokers and proxies take its anchor up
/// (`enlist get anchor` prints both). Where the root is offline, or a root of your own is to sign it, the
/// request is printed: `enlist sign ca` or your own CA signs it, `enlist import ca` brings it back.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddCa {
    /// Have a root from elsewhere sign it, although the server's own could
    #[arg(long)]
    request: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist add ca
  enlist get anchor > tenant-anchor.pem
  enlist add ca --request > ca-request.pem";

impl AddCa {
    /// Makes it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let asked = NewCa {
            request: self.request,
        };
        let added = client.add_ca(tenant.as_str(), &asked)?;
        if let Some(ca) = &added.ca {
            say!(
                "The next issuing CA of tenant `{tenant}` is {}.",
                ca.fingerprint
            );
            say!(
                "Give `enlist get anchor` to whoever verifies its devices; then `enlist retire ca` lets it take over."
            );
        }
        show_added(global, &tenant, &added)
    }
}
