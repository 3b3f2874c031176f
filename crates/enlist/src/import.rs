//! `enlist import …`.

mod manifest;
mod manufacturer;

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_pki::{Certificate, cms};
use enlist_wire::ImportCa;

use crate::cli::Global;
use crate::say::say;
use crate::text::word;
use crate::{files, output};

/// Bring in something that was made elsewhere
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Ca(Ca),
    Manifest(manifest::Manifest),
    Manufacturer(manufacturer::Manufacturer),
}

/// Complete the request for an issuing CA with the certificate that was signed
///
/// It has to be over the request's key, a CA's with pathlen:0, and valid. What another root than the
/// server's has signed needs all that stands above it, up to that root.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Ca {
    /// The certificate: PEM, DER or PKCS#7 (.p7b), which may hold the chain as well
    #[arg(value_name = "FILE")]
    certificate: PathBuf,
    /// What stands above it, where that is not in FILE: PEM, DER or PKCS#7
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist import ca issuing.pem
  enlist -t acme import ca issuing.pem --chain corporate-root.pem
  enlist -t acme import ca issuing.p7b";

impl Import {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Ca(ca) => ca.run(global),
            Noun::Manifest(manifest) => manifest.run(global),
            Noun::Manufacturer(manufacturer) => manufacturer.run(global),
        }
    }
}

impl Ca {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let mut certificates = String::new();
        for path in [Some(&self.certificate), self.chain.as_ref()]
            .into_iter()
            .flatten()
        {
            let bytes = files::read_bytes(path)?;
            let held = cms::certificates(&bytes)
                .with_context(|| format!("`{}` holds no readable certificate", path.display()))?;
            certificates.extend(held.iter().map(Certificate::to_pem));
        }
        let (client, tenant) = global.connect()?;
        let ca = client.import_ca(tenant.as_str(), &ImportCa { certificates })?;
        say!(
            "The issuing CA {} of tenant `{tenant}` is in, as the {} one.",
            ca.fingerprint,
            word(&ca.standing)
        );
        match global.output {
            Some(format) => output::one(format, &ca),
            None => Ok(()),
        }
    }
}
