//! `enlist refresh provision-secret`.

use enlist_core::Name;
use enlist_wire::{RotateSecret, Uuid};

use crate::cli::Global;
use crate::output;
use crate::say::say;
use crate::secret_bounds::say_made;
use crate::span::Span;

/// Replace a provisioning secret of a group by a new one and print it, alone
///
/// The old one stays good for the overlap, so that a running line can be changed over. The new one has
/// its label and its bounds, counted anew: as many devices, as long a life, the same rate, networks
/// and manifest. It is shown this once. Where no secret of the group is good any more, the newest that has
/// expired is replaced.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshSecret {
    /// The group
    #[arg(value_name = "GROUP")]
    group: Name,
    /// The secret to replace, where several that differ are good: its id, its short id (what stands after
    /// `eps_`), or its label
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// How long the old one stays good: seconds, or a number and s, m, h or d
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    overlap: Span,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh provision-secret room2-lights > secret.txt
  enlist refresh provision-secret room2-lights line-4 > line-4.secret
  enlist refresh provision-secret room2-lights --overlap 0 > secret.txt";

impl RefreshSecret {
    /// Rotates the secret.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let request = RotateSecret {
            secret: self.id,
            overlap_s: self.overlap.0,
        };
        let created = client.rotate_secret(tenant.as_str(), self.group.as_str(), &request)?;
        say_made(&self.group, &created);
        let replaced: Vec<_> = created.replaces.iter().map(Uuid::to_string).collect();
        match self.overlap.0 {
            0 => say!("It replaces {}, good for nothing now.", replaced.join(", ")),
            _ => say!(
                "It replaces {}: what of that is good stays so for {} at most.",
                replaced.join(", "),
                self.overlap
            ),
        }
        output::once(global.output, &created, &created.secret, "the same command")
    }
}
