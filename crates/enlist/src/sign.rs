//! `enlist sign ca`: without a server, where the root's key is.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::{SystemClock, SystemRng};
use enlist_ops::{CaToSign, sign_issuing_ca};
use enlist_pki::Csr;

use crate::ca::key_fingerprint;
use crate::failure::refused;
use crate::files::{self, Access};
use crate::output;
use crate::root_key::RootKey;
use crate::say::say;
use crate::secret_file;

/// Sign something with a key that the server does not have
#[derive(Debug, clap::Args)]
pub struct Sign {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Ca(Ca),
}

/// Sign the request for an issuing CA with the root's key, without asking a server
///
/// What is signed is what the server would have signed: an issuing CA of the tenant that the request
/// names, for ten years and no longer than the root itself. Compare the fingerprint of the key that is
/// printed with the one beside the request, if that came over a way that others can reach.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Ca {
    /// The request, PEM (`enlist get ca-request`)
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    /// The file that `enlist export root` wrote
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
    /// The file with its passphrase, readable by its owner alone, or `-`
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    /// Where to write the certificate, which is no file yet; else it goes to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist sign ca ca-request.pem --root-key root-key.pem --passphrase-file passphrase.txt --out issuing.pem";

impl Sign {
    /// Signs it.
    pub fn run(self) -> anyhow::Result<()> {
        let Noun::Ca(ca) = self.noun;
        ca.run()
    }
}

impl Ca {
    fn run(self) -> anyhow::Result<()> {
        if let Some(path) = &self.out
            && path.symlink_metadata().is_ok()
        {
            return Err(files::exists(path));
        }
        let text = files::read_needed(&self.request)?;
        if text.matches("-----BEGIN").count() > 1 {
            let path = self.request.display();
            return Err(refused(
                "ca-refused",
                format!("`{path}` holds more than one request: put each into a file of its own"),
            ));
        }
        let csr = Csr::from_pem(&text)
            .with_context(|| format!("`{}` is not to be signed", self.request.display()))?;
        let passphrase = secret_file::passphrase_or_key(&self.passphrase_file)?;
        let root = RootKey::read(&self.root_key, &passphrase)?;
        let key = key_fingerprint(&csr);
        let asked = CaToSign {
            csr,
            root: root.certificate,
            key: root.key,
        };
        let signed = sign_issuing_ca(asked, &SystemClock, &SystemRng)
            .map_err(|error| refused("ca-refused", error.to_string()))?;
        say!(
            "Signed `{}`, whose key has the fingerprint {key}.",
            signed.common_name().unwrap_or_default()
        );
        match &self.out {
            Some(path) => files::place_new(path, signed.to_pem().as_bytes(), Access::Public),
            None => Ok(output::line(signed.to_pem().trim_end())?),
        }
    }
}
