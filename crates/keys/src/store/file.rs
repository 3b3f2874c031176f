//! Keys in the caller's own files, encrypted.

use std::path::Path;
use std::sync::Arc;

use enlist_core::Rng;
use enlist_pki::{KeyKind, Signer};
use pkcs8::SecretDocument;
use pkcs8::der::pem::{LineEnding, encode_string};
use secrecy::SecretString;

use super::place::Places;
use super::{Binding, FileStoreSpec, KeyReference, KeyStore, KeyStoreError, StoreKind};
use crate::file_key::{FileKey, FileKeyError};
use crate::wrapping::{WrappingKey, WrappingKeyError};

/// Keys that lie encrypted (PKCS#8, PBES2 with AES-256) wherever the caller keeps their
/// references: the reference is the encrypted key.
///
/// The wrapping key is read when it is needed and not held. It comes, best first, from a
/// systemd credential (`enlist-wrapping-key`), from `wrapping.sealed`, which the machine's
/// TPM opens, or from `wrapping.key` (mode 0600); it is made when the first key is. Once a
/// better place is found, new keys are wrapped from there, and older ones still open.
///
/// A key of earlier versions, PEM without encryption, opens too.
pub struct FileStore {
    places: Places,
    rng: Arc<dyn Rng>,
}

impl FileStore {
    /// Over the wrapping key in `directory`, or wherever `spec` says. `credentials` is
    /// systemd's `$CREDENTIALS_DIRECTORY`, if there is one. Nothing is read or made yet.
    ///
    /// # Errors
    /// [`KeyStoreError::NotBuilt`] where the TPM is asked for in a build without it.
    pub fn new(
        spec: &FileStoreSpec,
        directory: &Path,
        credentials: Option<&Path>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, KeyStoreError> {
        let places = Places::new(&spec.wrapping, directory, credentials)?;
        Ok(Self { places, rng })
    }

    /// Over a wrapping key that the caller brings; touches no file.
    pub fn in_memory(wrapping: WrappingKey, rng: Arc<dyn Rng>) -> Self {
        Self {
            places: Places::caller(wrapping),
            rng,
        }
    }

    fn key(&self, reference: &KeyReference) -> Result<FileKey, KeyStoreError> {
        let bad = || KeyStoreError::Reference(StoreKind::File);
        let text = reference.as_str().trim_end();
        let (label, der) = SecretDocument::from_pem(text).map_err(|_| bad())?;
        if label != ENCRYPTED {
            return FileKey::from_pkcs8_pem(text).map_err(|error| match error {
                FileKeyError::Unreadable => bad(),
                other => other.into(),
            });
        }
        match self.places.unwrap(der.as_bytes()) {
            Err(KeyStoreError::Wrapping(WrappingKeyError::NotWrapped)) => Err(bad()),
            other => other,
        }
    }
}

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

impl KeyStore for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn binding(&self) -> Binding {
        self.places.binding()
    }

    fn probe(&self) -> Result<(), KeyStoreError> {
        self.places.probe()
    }

    fn make(&mut self, kind: KeyKind) -> Result<KeyReference, KeyStoreError> {
        self.import(&FileKey::generate(kind)?)
    }

    fn import(&mut self, key: &FileKey) -> Result<KeyReference, KeyStoreError> {
        let wrapped = self.places.wrap(key, &*self.rng)?;
        let pem = encode_string(ENCRYPTED, LineEnding::LF, &wrapped)
            .map_err(|_| WrappingKeyError::Library)?;
        KeyReference::parse(&pem).map_err(|_| KeyStoreError::Reference(StoreKind::File))
    }

    fn open(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError> {
        Ok(Arc::new(self.key(key)?))
    }

    fn destroy(&mut self, _key: &KeyReference) -> Result<(), KeyStoreError> {
        Ok(())
    }

    fn sweep(&mut self, _keep: &[KeyReference]) -> Result<usize, KeyStoreError> {
        Ok(0)
    }

    fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError> {
        Ok(Some(self.key(key)?.to_pkcs8_pem()?))
    }

    fn retire(&mut self) -> Result<(), KeyStoreError> {
        self.places.destroy(&*self.rng)
    }
}
