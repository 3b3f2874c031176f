//! The provisioning secret on the command line.

use std::path::{Path, PathBuf};

use enlist_core::ProvisioningSecret;
use secrecy::{ExposeSecret, SecretString};

use crate::secret_file;

/// `-s SECRET`, `-s -` or `--secret-file FILE`.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct SecretArg {
    /// The group's provisioning secret; `-` reads it from standard input. While the command runs,
    /// others on this machine may see it: --secret-file keeps it out of their sight
    #[arg(short = 's', long, value_name = "SECRET", allow_hyphen_values = true, value_parser = secret)]
    secret: Option<SecretString>,
    /// The file with the group's provisioning secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl SecretArg {
    /// The secret, wherever it is.
    pub fn read(self) -> anyhow::Result<ProvisioningSecret> {
        match (self.secret, self.secret_file) {
            (_, Some(file)) => secret_file::provisioning(&file),
            (Some(text), None) if text.expose_secret() == "-" => {
                secret_file::provisioning(Path::new("-"))
            }
            (Some(text), None) => secret_file::provisioning_in(&text),
            (None, None) => anyhow::bail!("no provisioning secret was given"),
        }
    }
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}
