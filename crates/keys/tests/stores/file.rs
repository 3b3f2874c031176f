//! What is peculiar to encrypted files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use enlist_core::SystemRng;
use enlist_keys::{
    Binding, FileKey, FileStore, FileStoreSpec, KeyReference, KeyStore, KeyStoreError, StoreSpec,
    WrappingKey, WrappingKeyError,
};
use enlist_pki::{KeyKind, Signer};
use secrecy::ExposeSecret;

use crate::promises::words;

fn store(words: &str, directory: &Path, credentials: Option<&Path>) -> FileStore {
    let StoreSpec::File(spec) = StoreSpec::parse(words).unwrap() else {
        panic!("{words}");
    };
    FileStore::new(&spec, directory, credentials, Arc::new(SystemRng)).unwrap()
}

/// A store with one key in it.
fn used(directory: &Path) -> KeyReference {
    store("file", directory, None).make(KeyKind::P256).unwrap()
}

#[test]
fn a_key_is_encrypted_under_a_key_of_the_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    assert_eq!(store("file", directory, None).binding(), Binding::KeyFile);
    assert_eq!(directory.read_dir().unwrap().count(), 0, "nothing yet");
    let reference = used(directory);
    let path = directory.join("wrapping.key");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
    assert!(reference.as_str().starts_with(pem));
    // OpenSSL opens it with that file as its password.
    fs::write(directory.join("key.pem"), reference.as_str()).unwrap();
    let open = std::process::Command::new("openssl")
        .args(["pkey", "-in", "key.pem", "-passin", "file:wrapping.key"])
        .current_dir(directory)
        .output()
        .unwrap();
    let opened = FileKey::from_pkcs8_pem(&String::from_utf8(open.stdout).unwrap()).unwrap();
    let key = store("file", directory, None).open(&reference).unwrap();
    assert_eq!(opened.public_key(), key.public_key());
}

#[test]
fn another_wrapping_key_opens_nothing() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let reference = used(ours.path());
    used(theirs.path());
    let error = store("file", theirs.path(), None)
        .open(&reference)
        .err()
        .unwrap();
    assert!(
        matches!(error, KeyStoreError::Wrapping(WrappingKeyError::WrongKey)),
        "{error}"
    );
}

#[test]
fn a_lost_wrapping_key_is_not_made_anew_to_open_with() {
    let directory = tempfile::tempdir().unwrap();
    let reference = used(directory.path());
    fs::remove_file(directory.path().join("wrapping.key")).unwrap();
    let error = store("file", directory.path(), None)
        .open(&reference)
        .err()
        .unwrap();
    assert!(
        words(&error).contains("there is no wrapping key at"),
        "{}",
        words(&error)
    );
    assert!(!directory.path().join("wrapping.key").exists());
}

#[test]
fn a_wrapping_key_that_others_can_read_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let reference = used(directory.path());
    let path = directory.path().join("wrapping.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut store = store("file", directory.path(), None);
    for error in [
        store.open(&reference).err().unwrap(),
        store.make(KeyKind::P256).unwrap_err(),
    ] {
        assert!(words(&error).contains("chmod 600"), "{}", words(&error));
    }
    // A wipe is not stopped by it.
    store.retire().unwrap();
    assert!(!path.exists());
}

#[test]
fn keys_from_before_encryption_open_too() {
    let directory = tempfile::tempdir().unwrap();
    for kind in [KeyKind::P256, KeyKind::Ed25519, KeyKind::Rsa(2048)] {
        let key = FileKey::generate(kind).unwrap();
        let plain = key.to_pkcs8_pem().unwrap();
        let reference = KeyReference::parse(plain.expose_secret()).unwrap();
        let opened = store("file", directory.path(), None)
            .open(&reference)
            .unwrap();
        assert_eq!(opened.public_key(), key.public_key());
        let cut = &plain.expose_secret()[..plain.expose_secret().len() / 2];
        let cut = KeyReference::parse(cut).unwrap();
        assert!(store("file", directory.path(), None).open(&cut).is_err());
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_credential_takes_over_and_keys_from_before_still_open() {
    let (directory, given) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (directory, given) = (directory.path(), given.path());
    let before = used(directory);
    let credential = WrappingKey::generate(&SystemRng);
    let text = credential.to_text().expose_secret();
    fs::write(given.join("enlist-wrapping-key"), text).unwrap();
    let mut with = store("file", directory, Some(given));
    assert_eq!(with.binding(), Binding::SystemdCredential);
    let after = with.make(KeyKind::P256).unwrap();
    for reference in [&before, &after] {
        with.open(reference).unwrap();
    }
    // Without the credential only what was wrapped before it came.
    let without = store("file", directory, None);
    without.open(&before).unwrap();
    assert!(without.open(&after).is_err());
    // A wipe leaves what is not ours, and it opens nothing that is left.
    with.retire().unwrap();
    assert!(with.open(&before).is_err());
}

#[test]
fn what_was_asked_for_is_what_there_must_be() {
    let (directory, given) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for credentials in [None, Some(given.path())] {
        let mut store = store("file:wrapping=credential", directory.path(), credentials);
        let error = store.make(KeyKind::P256).unwrap_err();
        assert!(
            words(&error).contains("enlist-wrapping-key"),
            "{}",
            words(&error)
        );
    }
    let credential = WrappingKey::generate(&SystemRng);
    let text = credential.to_text().expose_secret();
    fs::write(given.path().join("enlist-wrapping-key"), text).unwrap();
    let mut store = store(
        "file:wrapping=key-file",
        directory.path(),
        Some(given.path()),
    );
    assert_eq!(store.binding(), Binding::KeyFile);
    store.make(KeyKind::P256).unwrap();
    assert!(directory.path().join("wrapping.key").exists());
}

#[test]
fn a_store_in_memory_touches_no_file_and_forgets() {
    let wrapping = WrappingKey::generate(&SystemRng);
    let mut store = FileStore::in_memory(wrapping, Arc::new(SystemRng));
    assert_eq!(store.binding(), Binding::Caller);
    let reference = store.make(KeyKind::P256).unwrap();
    store.open(&reference).unwrap().sign(b"").unwrap();
    store.retire().unwrap();
    assert!(store.open(&reference).is_err());
    assert!(store.make(KeyKind::P256).is_err());
}

#[test]
fn a_directory_that_cannot_be_written_makes_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    let error = store("file", &nowhere, None)
        .make(KeyKind::P256)
        .unwrap_err();
    assert!(words(&error).contains("nowhere"), "{}", words(&error));
    let spec = FileStoreSpec::default();
    let mut store = FileStore::new(&spec, &nowhere, None, Arc::new(SystemRng)).unwrap();
    store.retire().unwrap();
}

#[test]
fn retiring_destroys_what_a_power_cut_left_of_the_wrapping_key() {
    let directory = tempfile::tempdir().unwrap();
    used(directory.path());
    let path = directory.path().join("wrapping.key");
    let text = fs::read(&path).unwrap();
    // The link was made, and the first name not removed any more.
    let left = directory.path().join(".wrapping.key.77-0.tmp");
    fs::hard_link(&path, &left).unwrap();
    // Somebody still has it open.
    let open = fs::File::open(&path).unwrap();
    store("file", directory.path(), None).retire().unwrap();
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    let still = std::io::read_to_string(open);
    assert!(
        still.is_err() || still.unwrap().as_bytes() != text,
        "overwritten"
    );
}

#[test]
fn a_wipe_that_was_cut_off_is_resumed() {
    let directory = tempfile::tempdir().unwrap();
    let reference = used(directory.path());
    // Overwritten, and not yet removed.
    let path = directory.path().join("wrapping.key");
    fs::write(&path, [0xff; 48]).unwrap();
    let mut store = store("file", directory.path(), None);
    assert!(store.open(&reference).is_err());
    assert!(store.make(KeyKind::P256).is_err());
    store.retire().unwrap();
    assert!(!path.exists());
    store.make(KeyKind::P256).unwrap();
}

#[cfg(not(any(feature = "tpm", feature = "pkcs11")))]
#[test]
fn a_store_that_was_not_built_says_so() {
    let directory = tempfile::tempdir().unwrap();
    for words in [
        "tpm",
        "file:wrapping=tpm",
        "pkcs11:token=a?module-path=/m.so",
    ] {
        let spec = StoreSpec::parse(words).unwrap();
        let opened = enlist_keys::open_store(&spec, directory.path(), Arc::new(SystemRng));
        let error = opened.err().unwrap();
        assert!(matches!(error, KeyStoreError::NotBuilt(_)), "{words}");
        assert!(error.to_string().contains("take the full build"));
    }
}
