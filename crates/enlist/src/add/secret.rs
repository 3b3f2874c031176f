//! `enlist add secret`.

use enlist_wire::NewSecret;

use crate::cli::Global;
use crate::group_arg::GroupArg;
use crate::output;
use crate::say::say;
use crate::span::Span;

/// Make another provisioning secret for a group and print it, alone
///
/// The secret is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AddSecret {
    #[command(flatten)]
    group: GroupArg,
    /// What it is for
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// How long it is good: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<Span>,
    /// The most devices that it enrolls
    #[arg(long, value_name = "COUNT")]
    max_devices: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  enlist add secret -g room2-lights > secret.txt
  enlist add secret -g room2-lights --label line-4 --expires-in 30d --max-devices 5000";

impl AddSecret {
    /// Makes the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let group = &self.group.group;
        let request = NewSecret {
            label: self.label,
            expires_in_s: self.expires_in.map(|span| span.0),
            max_devices: self.max_devices,
        };
        let created = client.create_secret(tenant.as_str(), group.as_str(), &request)?;
        say!(
            "Provisioning secret {} of group `{group}` is there.",
            created.secret_id
        );
        output::once(
            global.output,
            &created,
            &created.secret,
            &format!("`enlist add secret -g {group}`"),
        )
    }
}
