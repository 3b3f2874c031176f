//! Making a key and a token, once.

use std::sync::Arc;

use anyhow::Context as _;
use enlist_core::{DeviceToken, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::KeyKind;
use secrecy::ExposeSecret;

use super::{KeyAndToken, Paths, other_device};
use crate::failure::refused;
use crate::files::{self, Access};

impl Paths {
    /// Removes credentials that were revoked. The certificate goes first, and the token, which
    /// holds the lock, last: what a crash leaves is taken for an earlier run's.
    pub fn clear_away(&self) -> anyhow::Result<()> {
        for path in [
            &self.certificate,
            &self.ca,
            &self.renewal,
            &self.key,
            &self.token,
        ] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("`{}` can't be removed", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Key and token from an earlier run, or new ones, which are durably kept when this returns.
    pub fn key_and_token_or_new(&self, kind: KeyKind) -> anyhow::Result<KeyAndToken> {
        if let Some(held) = self.key_and_token()? {
            return Ok(held);
        }
        for left in [&self.certificate, &self.ca, &self.renewal] {
            if left.exists() {
                return Err(other_device(left, "left by a device whose key is not here"));
            }
        }
        let token = match self.held_token()? {
            // An earlier run came no further; nobody has seen it yet.
            Some(token) => token,
            None => {
                let token = DeviceToken::generate(&SystemRng);
                let line = secrecy::SecretString::from(format!("{}\n", token.expose()));
                self.placed(&self.token, line.expose_secret())?;
                token
            }
        };
        let key = FileKey::generate(kind).context("a key can't be made")?;
        let pem = key.to_pkcs8_pem().context("the key can't be written")?;
        self.placed(&self.key, pem.expose_secret())?;
        Ok(KeyAndToken {
            key: Arc::new(key),
            token,
        })
    }

    /// Writes a file that must not be there: if another run was faster, the two would mix.
    fn placed(&self, path: &std::path::Path, text: &str) -> anyhow::Result<()> {
        if files::place(path, text.as_bytes(), Access::Private)? {
            return Ok(());
        }
        Err(refused(
            "busy",
            format!(
                "`{}` has come up just now: another run is provisioning the same device; start again when it is done",
                path.display()
            ),
        ))
    }
}
