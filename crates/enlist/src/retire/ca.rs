//! `enlist retire ca`.

use enlist_wire::RetireCa;

use crate::cli::Global;
use crate::output;
use crate::say::say;

/// Let the tenant's next issuing CA take over
///
/// Everything is issued under the next one from then on, on every server of the installation. What the
/// old one has issued stays good and is renewed under the next one in its own time; the old CA's CRL and
/// OCSP answers go on until the last of its certificates has expired.
///
/// A consumer that anchors at the old CA alone turns away every device that has renewed. So the next one
/// has to have been known for a while: long enough that whoever fetches `enlist get anchor` now and then
/// has fetched it with both in it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Ca {
    /// For how many hours the next one has to have been known
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap: u32,
    /// Go on where it has not been, and where consumers turn devices away for it
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  enlist retire ca
  enlist -t acme retire ca --overlap 168
  enlist retire ca --force";

impl Ca {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let asked = RetireCa {
            overlap_h: Some(self.overlap),
            force: self.force,
        };
        let ca = client.retire_ca(tenant.as_str(), &asked)?;
        say!(
            "Devices of tenant `{tenant}` get their certificates from {} now.",
            ca.fingerprint
        );
        say!("`enlist get cas` says how many certificates of the old one are still valid.");
        match global.output {
            Some(format) => output::one(format, &ca),
            None => Ok(()),
        }
    }
}
