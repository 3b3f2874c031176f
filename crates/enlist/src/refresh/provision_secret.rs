//! `enlist refresh provision-secret`.

use enlist_core::Name;
use enlist_wire::RotateSecret;

use crate::cli::Global;
use crate::output;
use crate::say::say;
use crate::span::Span;

/// Replace a group's provisioning secrets by a new one and print it, alone
///
/// The older ones stay good for the overlap, so that a running line can be changed over. The new one has
/// the bounds of the newest of them, counted anew: as many devices, as long a life, the same rate, networks
/// and manifest. It is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshSecret {
    /// The group
    #[arg(value_name = "GROUP")]
    group: Name,
    /// How long the older ones stay good: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    overlap: Span,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh provision-secret room2-lights > secret.txt
  enlist refresh provision-secret room2-lights --overlap 0 > secret.txt";

impl RefreshSecret {
    /// Rotates the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let request = RotateSecret {
            overlap_s: self.overlap.0,
        };
        let created = client.rotate_secret(tenant.as_str(), self.group.as_str(), &request)?;
        if self.overlap.0 == 0 {
            say!(
                "The older provisioning secrets of group `{}` are good for nothing now.",
                self.group
            );
        } else {
            say!(
                "The older provisioning secrets of group `{}` stay good for {}.",
                self.group,
                self.overlap
            );
        }
        output::once(global.output, &created, &created.secret, "the same command")
    }
}
