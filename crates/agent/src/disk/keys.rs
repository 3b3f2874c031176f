use std::fmt;
use std::path::Path;
use std::sync::Arc;

use enlist_core::Rng;
use enlist_keys::attestation::{Attestor, open_attestor};
use enlist_keys::{
    Binding, FileKey, KeyReference, KeyStore, KeyStoreError, StoreKind, StoreSpec, open_store,
};
use enlist_pki::{KeyKind, Signer};
use secrecy::SecretString;

/// Where the device's keys live: the key store of the configuration, and encrypted files besides.
///
/// The files are for keys that can't be in the other store: those that were made at a factory, where it
/// takes none from elsewhere, and those from before it was configured. The next renewal makes its key in
/// the store of the configuration, and those are gone.
pub struct Keys {
    store: Box<dyn KeyStore>,
    files: Option<Box<dyn KeyStore>>,
    attestor: Option<Box<dyn Attestor>>,
    kind: KeyKind,
}

impl Keys {
    /// The store that `spec` names, in which keys of this kind are made. `directory` is the agent's.
    /// Nothing is asked of a device or token yet, and nothing is made.
    ///
    /// # Errors
    /// When this program was built without the store.
    pub fn open(
        spec: &StoreSpec,
        kind: KeyKind,
        directory: &Path,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, KeyStoreError> {
        let files = match spec.kind() {
            StoreKind::File => None,
            _ => Some(open_store(&StoreSpec::default(), directory, rng.clone())?),
        };
        let attestor = match spec {
            StoreSpec::Tpm(spec) => Some(open_attestor(spec)?),
            StoreSpec::File(_) | StoreSpec::Pkcs11(_) => None,
        };
        Ok(Self {
            store: open_store(spec, directory, rng)?,
            files,
            attestor,
            kind,
        })
    }

    /// This store alone.
    #[must_use]
    pub fn new(store: Box<dyn KeyStore>, kind: KeyKind) -> Self {
        Self {
            store,
            files: None,
            attestor: None,
            kind,
        }
    }

    /// The same, with something that can state that the store's keys are its own.
    #[must_use]
    pub fn with_attestor(mut self, attestor: Box<dyn Attestor>) -> Self {
        self.attestor = Some(attestor);
        self
    }

    /// What can state that the store's keys are its own: a TPM, where it is one.
    #[must_use]
    pub fn attestor(&self) -> Option<&dyn Attestor> {
        self.attestor.as_deref()
    }

    /// Which kind of store new keys are made in.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.store.kind()
    }

    /// What keeps whoever copies the disk from using a key: the one given, or one made now.
    #[must_use]
    pub fn binding(&self, key: Option<&KeyReference>) -> Binding {
        key.map_or(&*self.store, |key| self.of(key)).binding()
    }

    /// Whether the key store can be worked with, without making or changing anything.
    ///
    /// # Errors
    /// As [`KeyStore::probe`].
    pub fn probe(&self) -> Result<(), KeyStoreError> {
        self.store.probe()
    }

    pub(super) fn make(&mut self) -> Result<KeyReference, KeyStoreError> {
        self.store.make(self.kind)
    }

    pub(super) fn import(&mut self, key: &FileKey) -> Result<KeyReference, KeyStoreError> {
        match (self.store.import(key), &mut self.files) {
            (Err(KeyStoreError::CannotImport(_)), Some(files)) => files.import(key),
            (done, _) => done,
        }
    }

    /// The key, ready to sign.
    ///
    /// # Errors
    /// As [`KeyStore::open`].
    pub fn key(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError> {
        self.of(key).open(key)
    }

    /// The key in the clear, where its store gives it away.
    ///
    /// # Errors
    /// As [`KeyStore::export`].
    pub fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError> {
        self.of(key).export(key)
    }

    pub(super) fn destroy(&mut self, key: &KeyReference) -> Result<(), KeyStoreError> {
        match &mut self.files {
            Some(files) if key.kind() == Some(StoreKind::File) => files.destroy(key),
            _ => self.store.destroy(key),
        }
    }

    /// Destroys every key of the store but these.
    pub(super) fn sweep(&mut self, keep: &[KeyReference]) -> Result<usize, KeyStoreError> {
        self.store.sweep(keep)
    }

    /// Destroys what the stores hold beside keys.
    pub(super) fn retire(&mut self) -> Result<(), KeyStoreError> {
        let files = self.files.as_mut().map_or(Ok(()), |files| files.retire());
        self.store.retire().and(files)
    }

    fn of(&self, key: &KeyReference) -> &dyn KeyStore {
        match &self.files {
            Some(files) if key.kind() == Some(StoreKind::File) => &**files,
            _ => &*self.store,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.kind())
    }
}
