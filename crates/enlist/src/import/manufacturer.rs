//! `enlist import manufacturer`.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::Name;
use enlist_pki::{Certificate, cms};
use enlist_wire::{ImportManufacturer, ManufacturerCa};

use crate::cli::Global;
use crate::say::say;
use crate::{files, output};

/// Believe the hardware of a manufacturer, by its roots and the CAs between
///
/// A device that shows a certificate below them (IEEE 802.1AR), or has a TPM whose endorsement key has one,
/// needs no provisioning secret where its group takes that: `enlist add group --zero-touch`. The CAs take the
/// place of those that the manufacturer of this name has; so give all of them each time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Manufacturer {
    /// What it is to be called; the identities of its devices begin with it
    #[arg(value_name = "NAME")]
    name: Name,
    /// Its CAs, one root at least: PEM, DER or PKCS#7 (.p7b)
    #[arg(value_name = "FILE", required = true)]
    certificates: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist import manufacturer acme acme-roots.pem
  enlist -t plant import manufacturer infineon root.crt intermediate-1.crt intermediate-2.crt";

impl Manufacturer {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let mut certificates = String::new();
        for path in &self.certificates {
            let bytes = files::read_bytes(path)?;
            let held = cms::certificates(&bytes)
                .with_context(|| format!("`{}` holds no readable certificate", path.display()))?;
            certificates.extend(held.iter().map(Certificate::to_pem));
        }
        let (client, tenant) = global.connect()?;
        let import = ImportManufacturer {
            name: self.name.to_string(),
            certificates,
        };
        let imported = client.import_manufacturer(tenant.as_str(), &import)?;
        say!(
            "Tenant `{tenant}` believes hardware of `{}`, by:",
            imported.name
        );
        for ca in &imported.cas {
            say!("  {}", told(ca));
        }
        match global.output {
            Some(format) => output::one(format, &imported),
            None => Ok(()),
        }
    }
}

fn told(ca: &ManufacturerCa) -> String {
    let what = if ca.is_anchor { "root" } else { "CA" };
    let mut text = format!(
        "{what} {}, until {}, SHA-256 {}",
        ca.subject, ca.not_after, ca.fingerprint
    );
    if let Some(why) = &ca.unusable {
        text.push_str(&format!(" (nothing below it is believed: {why})"));
    }
    text
}
