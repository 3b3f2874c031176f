//! What can go wrong with a key store.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use enlist_pki::KeyKind;

use super::StoreKind;
use crate::file_key::FileKeyError;
use crate::wrapping::WrappingKeyError;

/// A key store that can't do what was asked. Never says anything of a key or a PIN.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The reference is none that this store gave, or was not kept whole.
    #[error("not a key reference of the key store `{0}`, or not a whole one")]
    Reference(StoreKind),
    /// The key is not there.
    #[error("the key store `{0}` does not hold this key (any more)")]
    Gone(StoreKind),
    /// Something is where the key should be, and it is not the key.
    #[error(
        "what the key store `{store}` holds at {at} is another key: the disk came from another \
         board, or somebody else uses the same place"
    )]
    AnotherKey {
        /// Which store.
        store: StoreKind,
        /// Where in it.
        at: String,
    },
    /// Keys are made in this store and never brought there.
    #[error("the key store `{0}` takes no keys that were made elsewhere")]
    CannotImport(StoreKind),
    /// A kind of key that this store does not make.
    #[error("the key store `{store}` makes no {kind} keys")]
    KeyKind {
        /// Which store.
        store: StoreKind,
        /// What was asked of it.
        kind: KeyKind,
    },
    /// No room for one more key.
    #[error("the key store `{store}` is full: {remedy}")]
    Full {
        /// Which store.
        store: StoreKind,
        /// What to do.
        remedy: String,
    },
    /// The store exists in other builds of this program.
    #[error("this program was built without the key store `{0}`: take the full build, or `file`")]
    NotBuilt(StoreKind),
    /// The device or token does not answer. It may come back.
    #[error("{what} does not answer: {remedy}")]
    Unreachable {
        /// What should have answered, and where.
        what: String,
        /// What to do.
        remedy: String,
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The device or token answered no.
    #[error("{what} refuses to {doing}")]
    Refused {
        /// Who refused.
        what: String,
        /// What it was asked to do.
        doing: &'static str,
        /// Why, in its own words.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The token's PIN can't be had, or is not the right one.
    #[error("{problem}: {remedy}")]
    Pin {
        /// What is wrong with it.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The wrapping key, or what it should open.
    #[error("the device's keys can't be wrapped or unwrapped")]
    Wrapping(#[from] WrappingKeyError),
    /// The key itself.
    #[error("the private key can't be used")]
    Key(#[from] FileKeyError),
    /// A file of the store's own.
    #[error("the key store's file {} is not accessible", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
}

impl KeyStoreError {
    /// Whether the same may work later without anybody doing anything: worth a retry.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Io { .. })
    }
}
