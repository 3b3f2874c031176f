//! `enlist add tenant`.

use enlist_core::Name;
use enlist_wire::{NewTenant, TenantState};

use crate::cli::Global;
use crate::output;
use crate::say::say;

/// Create a tenant: an organisation or project with groups and an issuing CA of its own
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddTenant {
    /// Its name
    #[arg(value_name = "NAME")]
    name: Name,
}

const EXAMPLES: &str = "\
Examples:
  enlist add tenant acme
  enlist -t acme add group presses > secret.txt";

impl AddTenant {
    /// Creates the tenant.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, _) = global.connect()?;
        let tenant = client.create_tenant(&NewTenant {
            name: self.name.to_string(),
        })?;
        match tenant.state {
            TenantState::Active => say!("Tenant `{}` is there.", self.name),
            TenantState::AwaitingCa => say!(
                "Tenant `{}` is there, and waits for its issuing CA to be signed by the offline root.",
                self.name
            ),
        }
        match global.output {
            Some(format) => output::one(format, &tenant),
            None => Ok(()),
        }
    }
}
