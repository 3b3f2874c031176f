//! From words in a configuration to a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use enlist_core::Rng;

#[cfg(not(all(feature = "tpm", feature = "pkcs11")))]
use super::StoreKind;
use super::{FileStore, KeyStore, KeyStoreError, Pkcs11Spec, StoreSpec};

/// Opens the store that `spec` names. `directory` is the caller's protected directory (mode
/// 0700), where the file store keeps its wrapping key. `$CREDENTIALS_DIRECTORY` is looked at.
///
/// Nothing is asked of a device or token yet, so this works without it.
///
/// # Errors
/// [`KeyStoreError::NotBuilt`] for a store that this program was built without.
pub fn open_store(
    spec: &StoreSpec,
    directory: &Path,
    rng: Arc<dyn Rng>,
) -> Result<Box<dyn KeyStore>, KeyStoreError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    match spec {
        StoreSpec::File(spec) => {
            FileStore::new(spec, directory, credentials.as_deref(), rng).map(boxed)
        }
        #[cfg(feature = "tpm")]
        StoreSpec::Tpm(spec) => Ok(boxed(super::tpm::TpmStore::new(spec.clone()))),
        #[cfg(not(feature = "tpm"))]
        StoreSpec::Tpm(_) => Err(KeyStoreError::NotBuilt(StoreKind::Tpm)),
        #[cfg(feature = "pkcs11")]
        StoreSpec::Pkcs11(spec) => Ok(boxed(super::pkcs11::Pkcs11Store::new(spec.clone(), rng))),
        #[cfg(not(feature = "pkcs11"))]
        StoreSpec::Pkcs11(_) => Err(KeyStoreError::NotBuilt(StoreKind::Pkcs11)),
    }
}

/// Opens a token for a server, which signs all day: it is logged into once, and its sessions stay
/// open. A token that went away is looked for anew with each use. Otherwise as [`open_store`].
///
/// # Errors
/// [`KeyStoreError::NotBuilt`] where this program was built without it.
pub fn open_token(
    spec: &Pkcs11Spec,
    rng: Arc<dyn Rng>,
) -> Result<Box<dyn KeyStore>, KeyStoreError> {
    #[cfg(feature = "pkcs11")]
    return Ok(boxed(super::pkcs11::Pkcs11Store::kept(spec.clone(), rng)));
    #[cfg(not(feature = "pkcs11"))]
    {
        let _ = (spec, rng);
        Err(KeyStoreError::NotBuilt(StoreKind::Pkcs11))
    }
}

fn boxed(store: impl KeyStore + 'static) -> Box<dyn KeyStore> {
    Box::new(store)
}
