//! `enlist add token`.

use enlist_core::Name;
use enlist_wire::{NewToken, Role};

use crate::cli::Global;
use crate::output;
use crate::say::say;
use crate::span::Span;
use crate::text::{one_of, shown, word};

/// Make an API token and print it, alone
///
/// The token is shown this once. It is good for one tenant, unless --installation or a group is given.
/// It never can do more than the token that makes it, nor for longer.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddToken {
    /// Who or what will use it
    #[arg(value_name = "LABEL")]
    label: String,
    /// What it may do: everything, everything about devices, creating and pre-enrolling devices, or
    /// looking
    #[arg(long, value_name = "ROLE",
          value_parser = one_of::<Role>(&["admin", "operator", "factory", "viewer"]))]
    role: Role,
    /// The one group that it is good for, in place of all of the tenant
    #[arg(short, long, value_name = "NAME", conflicts_with = "installation")]
    group: Option<Name>,
    /// How long it is good: seconds, or a number and s, m, h or d
    #[arg(long, alias = "expires", value_name = "SPAN")]
    expires_in: Option<Span>,
    /// Make it good for every tenant
    #[arg(long, conflicts_with = "tenant")]
    installation: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist add token line-4 --role factory --expires-in 90d > line-4.token
  enlist add token night-shift --role operator -g room2-lights --expires-in 12h > night.token
  enlist -t acme add token dashboard --role viewer > dashboard.token
  enlist add token backup-admin --role admin --installation > backup-admin.token";

impl AddToken {
    /// Makes the token.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let request = NewToken {
            label: self.label,
            role: self.role,
            group: self.group.map(|name| name.to_string()),
            expires_in_s: self.expires_in.map(|span| span.0),
        };
        let created = if self.installation {
            client.create_installation_token(&request)?
        } else {
            client.create_token(tenant.as_str(), &request)?
        };
        say!(
            "API token {} (`{}`, {}) is there.",
            created.token_id,
            shown(&created.label),
            word(&created.role)
        );
        output::once(global.output, &created, &created.token, "the same command")
    }
}
