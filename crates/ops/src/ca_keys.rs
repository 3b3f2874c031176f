//! The private keys of CAs: made where they are to live, and opened where they do.

use std::sync::Arc;

use enlist_core::{CaKey, Rng};
use enlist_keys::{FileKey, WrappingKey};
use enlist_pki::{KeyKind, Signer};

use crate::Error;

/// Where the private keys of CAs live.
pub(crate) struct CaKeys {
    wrapping: WrappingKey,
}

/// A key that was just made, and how the record has it.
pub(crate) struct MadeKey {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) key: CaKey,
}

impl CaKeys {
    pub(crate) fn new(wrapping: WrappingKey) -> Self {
        Self { wrapping }
    }

    /// What wraps the keys in the store.
    pub(crate) fn wrapping(&self) -> &WrappingKey {
        &self.wrapping
    }

    /// Makes a key for a CA.
    pub(crate) fn make(&self, kind: KeyKind, rng: &dyn Rng) -> Result<MadeKey, Error> {
        let key = FileKey::generate(kind).map_err(Error::signing)?;
        let wrapped = self.wrapping.wrap(&key, rng).map_err(Error::signing)?;
        Ok(MadeKey {
            signer: Arc::new(key),
            key: CaKey::Wrapped(wrapped),
        })
    }

    /// The key that the record speaks of; `None` where it is not within reach.
    pub(crate) fn open(&self, key: &CaKey) -> Result<Option<Arc<dyn Signer>>, Error> {
        match key {
            CaKey::Wrapped(wrapped) => {
                let key = self.wrapping.unwrap(wrapped).map_err(Error::signing)?;
                Ok(Some(Arc::new(key)))
            }
            CaKey::Kept(_) => Err(Error::Inconsistent("no key store for a CA's key")),
            CaKey::Offline => Ok(None),
        }
    }
}
