//! The file that the root's key is kept in, away from the server.

use std::path::Path;

use enlist_keys::{FileKey, WrappingKey, WrappingKeyError};
use enlist_pki::{Certificate, Signer};
use secrecy::SecretString;

use crate::failure::refused;
use crate::files;

/// A root and its key.
pub struct RootKey {
    /// The root's certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: FileKey,
}

impl RootKey {
    /// Reads the file that `enlist export root` writes, and opens the key with `passphrase`.
    pub fn read(path: &Path, passphrase: &SecretString) -> anyhow::Result<Self> {
        let unreadable = |why: String| {
            let path = path.display();
            refused(
                "root-key-unreadable",
                format!("`{path}` is no copy of a root: {why}"),
            )
        };
        let text = files::read_needed(path)?;
        let key = WrappingKey::from_text(passphrase)
            .and_then(|passphrase| passphrase.unwrap_pem(&text))
            .map_err(|error| match error {
                WrappingKeyError::WrongKey => {
                    unreadable("this is not the passphrase that its key was encrypted with".into())
                }
                error => unreadable(format!("its key does not open: {error}")),
            })?;
        let certificate = Certificate::from_pem(&text)
            .map_err(|error| unreadable(format!("its certificate does not read: {error}")))?;
        if key.public_key().spki_der() != certificate.spki_der() {
            return Err(unreadable(
                "key and certificate do not belong together".to_owned(),
            ));
        }
        Ok(Self { certificate, key })
    }
}
