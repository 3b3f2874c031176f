//! `enlist add tenant`.

use enlist_core::Name;
use enlist_wire::{NewTenant, TenantState};

use crate::ca::show_request;
use crate::cli::Global;
use crate::output;
use crate::say::say;

/// Create a tenant: an organisation or project with groups and an issuing CA of its own
///
/// Where the server's root is offline, the request for its issuing CA is printed, and the tenant waits
/// until `enlist import ca` completes it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddTenant {
    /// Its name
    #[arg(value_name = "NAME")]
    name: Name,
    /// Have a root from elsewhere sign its issuing CA, although the server's own could
    #[arg(long)]
    request_ca: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist add tenant acme
  enlist add tenant acme --request-ca > ca-request.pem
  enlist -t acme add group presses > secret.txt";

impl AddTenant {
    /// Creates the tenant.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, _) = global.connect()?;
        let tenant = client.create_tenant(&NewTenant {
            name: self.name.to_string(),
            request_ca: self.request_ca,
        })?;
        match tenant.state {
            TenantState::Active => say!("Tenant `{}` is there.", self.name),
            TenantState::AwaitingCa => say!(
                "Tenant `{}` is there, and waits for its issuing CA to be signed.",
                self.name
            ),
        }
        if let Some(format) = global.output {
            return output::one(format, &tenant);
        }
        if tenant.state == TenantState::AwaitingCa {
            for request in client.ca_requests(&tenant.name)?.items {
                show_request(global, &self.name, &request)?;
            }
        }
        Ok(())
    }
}
