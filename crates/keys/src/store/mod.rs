//! Where a device's private keys live: one trait, one file a store.

mod error;
mod file;
mod open;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod place;
mod reference;
#[cfg(feature = "tpm")]
mod sealed;
mod spec;
#[cfg(feature = "tpm")]
mod tpm;

use std::fmt;
use std::sync::Arc;

use enlist_pki::{KeyKind, Signer};
use secrecy::SecretString;

use crate::file_key::FileKey;

#[cfg(feature = "tpm")]
pub(crate) use self::tpm::Place as TpmPlace;
pub use error::KeyStoreError;
pub use file::FileStore;
pub use open::{open_store, open_token};
pub use reference::{BadReference, KeyReference};
pub use spec::{
    BadSpec, FileStoreSpec, HandleRange, PinSource, Pkcs11Spec, StoreSpec, TpmAddress, TpmSpec,
    Wrapping,
};

/// Where a device's private keys live. A key is known by the [`KeyReference`] that
/// [`KeyStore::make`] returned.
///
/// Power can go at any instruction. A key whose reference was never kept is found by
/// [`KeyStore::sweep`]; everything else may simply be done again.
pub trait KeyStore: Send {
    /// Which kind of store it is.
    fn kind(&self) -> StoreKind;

    /// What keeps whoever copies the disk from using the keys.
    fn binding(&self) -> Binding;

    /// Whether the store can be worked with, found out without making or changing anything.
    ///
    /// # Errors
    /// Whatever would keep it from working.
    fn probe(&self) -> Result<(), KeyStoreError>;

    /// Makes a key, durably.
    ///
    /// # Errors
    /// [`KeyStoreError::KeyKind`] for a kind that this store does not make (P-256 always
    /// will do), and whatever keeps the store from working.
    fn make(&mut self, kind: KeyKind) -> Result<KeyReference, KeyStoreError>;

    /// Takes a key that was made elsewhere (pre-enrollment).
    ///
    /// # Errors
    /// [`KeyStoreError::CannotImport`] from stores that only hold keys of their own.
    fn import(&mut self, key: &FileKey) -> Result<KeyReference, KeyStoreError>;

    /// The key, ready to sign. Fails where it is not there, or where another lies in its
    /// place. What it returns outlives the store and may be used from any thread.
    ///
    /// # Errors
    /// As said; and whatever keeps the store from working.
    fn open(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError>;

    /// Destroys it where it lives; fine if it is gone already. With the file store that is
    /// where the caller keeps the reference, so there is nothing to do here.
    ///
    /// # Errors
    /// Whatever keeps the store from working.
    fn destroy(&mut self, key: &KeyReference) -> Result<(), KeyStoreError>;

    /// Destroys every key of this store that is not among `keep`, and says how many they
    /// were: what a power cut between making a key and keeping its reference left behind.
    ///
    /// # Errors
    /// Whatever keeps the store from working, or a reference in `keep` that is not this
    /// store's: nothing is destroyed then.
    fn sweep(&mut self, keep: &[KeyReference]) -> Result<usize, KeyStoreError>;

    /// The key in the clear as PEM (PKCS#8, `PRIVATE KEY`), for programs that read files;
    /// `None` where it never leaves the store.
    ///
    /// # Errors
    /// As [`KeyStore::open`].
    fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError>;

    /// Destroys what the store itself holds beside keys (the wrapping key): the end of a
    /// wipe. May be done again, and needs nothing that could be broken. The store can then
    /// be used anew.
    ///
    /// # Errors
    /// Something could not be destroyed.
    fn retire(&mut self) -> Result<(), KeyStoreError>;
}

/// The kinds of key store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// Encrypted files.
    File,
    /// A TPM 2.0.
    Tpm,
    /// A PKCS#11 token.
    Pkcs11,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Tpm => "tpm",
            Self::Pkcs11 => "pkcs11",
        })
    }
}

/// What stands between a copy of the disk and the keys, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// The keys never leave a TPM or token.
    Hardware,
    /// The wrapping key is sealed by the machine's TPM.
    Tpm,
    /// The wrapping key comes as a systemd credential.
    SystemdCredential,
    /// The wrapping key lies in memory only: the caller brought it.
    Caller,
    /// The wrapping key is a file beside the keys: whoever copies the whole disk has both.
    KeyFile,
}
