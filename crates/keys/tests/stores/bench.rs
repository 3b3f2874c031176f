//! A store to try, and what must hold when it has been tried.

use std::path::Path;
use std::sync::Arc;

use enlist_core::SystemRng;
use enlist_keys::{KeyStore, StoreSpec, open_store};
use tempfile::TempDir;

/// A store's words, and a directory of its own.
pub struct Bench {
    spec: StoreSpec,
    directory: TempDir,
}

impl Bench {
    pub fn new(words: &str) -> Self {
        Self {
            spec: StoreSpec::parse(words).unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Opens the store, anew each time.
    pub fn store(&self) -> Box<dyn KeyStore> {
        self.store_in(self.directory.path())
    }

    /// Opens it over the directory of another.
    pub fn store_in(&self, directory: &Path) -> Box<dyn KeyStore> {
        open_store(&self.spec, directory, Arc::new(SystemRng)).unwrap()
    }

    /// Opens the token that it names as a server does.
    #[cfg(feature = "pkcs11")]
    pub fn kept(&self) -> Box<dyn KeyStore> {
        let StoreSpec::Pkcs11(token) = &self.spec else {
            panic!("no token");
        };
        enlist_keys::open_token(token, Arc::new(SystemRng)).unwrap()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn in_hardware(&self) -> bool {
        !matches!(self.spec, StoreSpec::File(_))
    }
}

pub fn file(promise: fn(&Bench)) {
    promise(&Bench::new("file"));
}

#[cfg(feature = "tpm")]
pub fn tpm(promise: fn(&Bench)) {
    let Some(tpm) = crate::swtpm::Swtpm::start() else {
        return;
    };
    promise(&Bench::new(&tpm.key_store()));
    assert_eq!(tpm.transient(), 0, "nothing stays loaded");
}

#[cfg(feature = "pkcs11")]
pub fn pkcs11(test: &str, promise: fn(&Bench)) {
    crate::softhsm::SoftHsm::in_process(test, |token| promise(&Bench::new(&token.key_store())));
}
