//! The files of a device that can't run the agent: its key, its token, its certificate.
//!
//! `NAME_token` is written first, then `NAME_key.pem`, both before anybody is asked; `NAME_ca.pem`
//! and at last `NAME_crt.pem` when the answer is there. So a certificate that is there is complete,
//! and a key that is there has its token.

mod answer;
mod made;
mod owner;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use enlist_core::{DeviceToken, Name};
use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{Certificate, Signer};
use secrecy::SecretString;

pub use answer::Answer;
pub use owner::{Owner, device_id};

use crate::failure::refused;
use crate::files;

/// Where the files of one device are.
#[derive(Debug)]
pub struct Paths {
    /// The private key, PKCS#8 as PEM, 0600.
    pub key: PathBuf,
    /// The device token, 0600.
    pub token: PathBuf,
    /// The certificate and its issuing CA, PEM.
    pub certificate: PathBuf,
    /// The issuing CA and the root, PEM.
    pub ca: PathBuf,
    /// Counter and request of renewals, 0600.
    pub renewal: PathBuf,
}

/// What a device holds before it is enrolled: a key and a token of its own.
pub struct KeyAndToken {
    /// The key.
    pub key: Arc<FileKey>,
    /// The token.
    pub token: DeviceToken,
}

/// What a device holds that is enrolled.
pub struct Enrolled {
    /// Whose it is, where it is now.
    pub owner: Owner,
    /// Key and token.
    pub own: KeyAndToken,
    /// The certificate and its issuing CA.
    pub chain: Vec<Certificate>,
}

impl Paths {
    /// The files of the device called `name` in `directory`.
    pub fn of(directory: &Path, name: &Name) -> Self {
        let file = |end| {
            let file = format!("{name}{end}");
            // What is here is told without a path.
            if directory == Path::new(".") {
                PathBuf::from(file)
            } else {
                directory.join(file)
            }
        };
        Self {
            key: file("_key.pem"),
            token: file("_token"),
            certificate: file("_crt.pem"),
            ca: file("_ca.pem"),
            renewal: file("_renewal.json"),
        }
    }

    /// Keeps other runs away from this device's files as long as the answer lives; `None` where there
    /// are none yet. Two renewals at once would look like two devices to the server.
    pub fn lock(&self) -> anyhow::Result<Option<File>> {
        // The token is the one file that is never replaced.
        let file = match File::open(&self.token) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("`{}` can't be read", self.token.display()));
            }
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(refused(
                "busy",
                format!(
                    "another run is at work with `{}`: start again when it is done",
                    self.token.display()
                ),
            )),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("`{}` can't be locked", self.token.display()))
            }
        }
    }

    /// Key and token; `None` where there are none. A token alone is no device's yet.
    pub fn key_and_token(&self) -> anyhow::Result<Option<KeyAndToken>> {
        let Some(key) = files::read(&self.key)? else {
            return Ok(None);
        };
        let key: SecretString = key.into();
        let token = self.held_token()?.ok_or_else(|| {
            refused(
                "leftover-key",
                format!(
                    "`{}` is there without `{}`, so it is not from an earlier run of this: move it away, or name another directory with --out",
                    self.key.display(),
                    self.token.display()
                ),
            )
        })?;
        let key = FileKey::from_pkcs8_pem(secrecy::ExposeSecret::expose_secret(&key))
            .with_context(|| format!("`{}` can't be used", self.key.display()))?;
        Ok(Some(KeyAndToken {
            key: Arc::new(key),
            token,
        }))
    }

    /// Key, token and certificate, which have to belong to `owner`, who may have been passed on by the
    /// group `came_by`; `None` where there is no certificate yet.
    pub fn enrolled(
        &self,
        owner: &Owner,
        came_by: Option<&Name>,
    ) -> anyhow::Result<Option<Enrolled>> {
        let Some(pem) = files::read(&self.certificate)? else {
            return Ok(None);
        };
        let path = self.certificate.display();
        let chain =
            enlist_pki::chain_from_pem(&pem).with_context(|| format!("`{path}` can't be read"))?;
        let leaf = chain
            .first()
            .with_context(|| format!("`{path}` holds no certificate"))?;
        let owner = owner.passed_on(leaf, came_by);
        owner
            .check(leaf)
            .map_err(|whose| other_device(&self.certificate, &whose))?;
        let own = self.key_and_token()?.ok_or_else(|| {
            other_device(&self.certificate, "that of a device whose key is not here")
        })?;
        if own.key.public_key().spki_der() != leaf.spki_der() {
            return Err(other_device(
                &self.certificate,
                &format!("not over the key in `{}`", self.key.display()),
            ));
        }
        Ok(Some(Enrolled { owner, own, chain }))
    }

    fn held_token(&self) -> anyhow::Result<Option<DeviceToken>> {
        let Some(text) = files::read(&self.token)? else {
            return Ok(None);
        };
        let text: SecretString = text.into();
        DeviceToken::parse(secrecy::ExposeSecret::expose_secret(&text).trim())
            .map(Some)
            .with_context(|| format!("`{}` holds no device token", self.token.display()))
    }
}

impl Enrolled {
    /// What the device shows in a handshake.
    pub fn identity(&self) -> Identity {
        Identity {
            chain: self.chain.iter().map(Certificate::to_rustls).collect(),
            key: self.own.key.clone(),
        }
    }

    /// The device's own certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }
}

fn other_device(path: &Path, whose: &str) -> anyhow::Error {
    refused(
        "leftover-certificate",
        format!(
            "`{}` is {whose}; nothing is overwritten: move it away, or name another directory with --out",
            path.display()
        ),
    )
}
