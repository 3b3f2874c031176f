//! Wrapping keys that a TPM seals.

use std::path::Path;
use std::sync::Arc;

use enlist_core::SystemRng;
use enlist_keys::{Binding, KeyStore, StoreSpec, open_store};
use enlist_pki::KeyKind;

use crate::promises::words;
use crate::swtpm::Swtpm;
use crate::tpm::{CREATE_PRIMARY, PERSIST};

/// A file store whose wrapping key this TPM seals, over a directory.
fn sealed(tpm: &Swtpm, directory: &Path) -> Box<dyn KeyStore> {
    let words = tpm.key_store().replacen("tpm:", "file:wrapping=tpm;", 1);
    let spec = StoreSpec::parse(&words).unwrap();
    open_store(&spec, directory, Arc::new(SystemRng)).unwrap()
}

#[test]
fn a_sealed_wrapping_key_opens_with_its_own_tpm_alone() {
    let Some(mut tpm) = Swtpm::start() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut store = sealed(&tpm, directory);
    assert_eq!(store.binding(), Binding::Tpm);
    let reference = store.make(KeyKind::P256).unwrap();
    assert!(!directory.join("wrapping.key").exists());
    tpm.stop();
    let dead = sealed(&tpm, directory).open(&reference).err().unwrap();
    assert!(
        words(&dead).contains("start swtpm there"),
        "{}",
        words(&dead)
    );
    tpm.bring_back();
    sealed(&tpm, directory)
        .open(&reference)
        .unwrap()
        .sign(b"")
        .unwrap();
    // A storage root key that somebody provisions later changes nothing.
    tpm.raw(CREATE_PRIMARY);
    tpm.raw(PERSIST);
    tpm.stop();
    tpm.bring_back();
    sealed(&tpm, directory)
        .open(&reference)
        .unwrap()
        .sign(b"")
        .unwrap();
    assert_eq!(tpm.transient(), 0);
    tpm.replace();
    let foreign = sealed(&tpm, directory).open(&reference).err().unwrap();
    assert!(
        words(&foreign).contains("another TPM"),
        "{}",
        words(&foreign)
    );
    assert_eq!(tpm.transient(), 0);
    // Nor is a new one made in its place, which would hide what happened.
    assert!(sealed(&tpm, directory).make(KeyKind::P256).is_err());
    let mut store = sealed(&tpm, directory);
    store.retire().unwrap();
    store.make(KeyKind::P256).unwrap();
}

#[test]
fn a_sealed_wrapping_key_that_is_cut_is_refused() {
    let Some(tpm) = Swtpm::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let reference = sealed(&tpm, directory.path()).make(KeyKind::P256).unwrap();
    let path = directory.path().join("wrapping.sealed");
    let whole = std::fs::read_to_string(&path).unwrap();
    for end in (0..whole.trim_end().len()).step_by(7) {
        std::fs::write(&path, &whole[..end]).unwrap();
        assert!(sealed(&tpm, directory.path()).open(&reference).is_err());
    }
    assert_eq!(tpm.transient(), 0);
}
