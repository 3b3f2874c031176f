//! Keys in their slots, in a key store that lives elsewhere and outlasts power cuts.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use common::{SeededRng, keys};
use enlist_agent::disk::{Disk, Keys, MemoryDisk, PairKey, Vault, VaultError};
use enlist_keys::{
    Binding, FileKey, KeyReference, KeyStore, KeyStoreError, StoreKind, WrappingKey,
};
use enlist_pki::{KeyKind, Signer};
use secrecy::{ExposeSecret, SecretString};

/// What a TPM or token holds. A clone is the same one, seen after a restart.
#[derive(Clone, Default)]
struct Token {
    objects: Arc<Mutex<BTreeMap<u32, FileKey>>>,
    /// How many keys it has room for; 0 for any number.
    room: usize,
}

impl Token {
    fn count(&self) -> usize {
        self.objects.lock().unwrap().len()
    }

    fn keys(&self) -> Keys {
        Keys::new(Box::new(self.clone()), KeyKind::P256)
    }

    fn handle(key: &KeyReference) -> Result<u32, KeyStoreError> {
        let text = key.as_str().strip_prefix("tpm:");
        text.and_then(|text| text.parse().ok())
            .ok_or(KeyStoreError::Reference(StoreKind::Tpm))
    }
}

impl KeyStore for Token {
    fn kind(&self) -> StoreKind {
        StoreKind::Tpm
    }

    fn binding(&self) -> Binding {
        Binding::Hardware
    }

    fn probe(&self) -> Result<(), KeyStoreError> {
        Ok(())
    }

    fn make(&mut self, kind: KeyKind) -> Result<KeyReference, KeyStoreError> {
        let mut objects = self.objects.lock().unwrap();
        if self.room > 0 && objects.len() >= self.room {
            return Err(KeyStoreError::Full {
                store: StoreKind::Tpm,
                remedy: "make room".into(),
            });
        }
        let handle = objects.keys().last().map_or(1, |last| last + 1);
        objects.insert(handle, FileKey::generate(kind)?);
        Ok(format!("tpm:{handle}").parse().unwrap())
    }

    fn import(&mut self, _key: &FileKey) -> Result<KeyReference, KeyStoreError> {
        Err(KeyStoreError::CannotImport(StoreKind::Tpm))
    }

    fn open(&self, key: &KeyReference) -> Result<Arc<dyn Signer>, KeyStoreError> {
        let objects = self.objects.lock().unwrap();
        let found = objects.get(&Self::handle(key)?);
        let found = found.ok_or(KeyStoreError::Gone(StoreKind::Tpm))?;
        Ok(Arc::new(FileKey::from_pkcs8_pem(
            found.to_pkcs8_pem()?.expose_secret(),
        )?))
    }

    fn destroy(&mut self, key: &KeyReference) -> Result<(), KeyStoreError> {
        self.objects.lock().unwrap().remove(&Self::handle(key)?);
        Ok(())
    }

    fn sweep(&mut self, keep: &[KeyReference]) -> Result<usize, KeyStoreError> {
        let keep: Result<Vec<_>, _> = keep.iter().map(Self::handle).collect();
        let keep = keep?;
        let mut objects = self.objects.lock().unwrap();
        let before = objects.len();
        objects.retain(|handle, _| keep.contains(handle));
        Ok(before - objects.len())
    }

    fn export(&self, key: &KeyReference) -> Result<Option<SecretString>, KeyStoreError> {
        self.open(key).map(|_| None)
    }

    fn retire(&mut self) -> Result<(), KeyStoreError> {
        Ok(())
    }
}

fn public(vault: &Vault<MemoryDisk>, slot: u64) -> Vec<u8> {
    vault.key(slot).unwrap().public_key().spki_der().to_vec()
}

#[test]
fn a_key_that_two_slots_hold_goes_with_the_last_of_them() {
    let token = Token::default();
    let mut vault = Vault::with_keys(MemoryDisk::default(), token.keys());
    vault.make_key(1).unwrap();
    vault.keep_key(1, 2).unwrap();
    vault.keep_key(1, 2).unwrap();
    assert_eq!(public(&vault, 1), public(&vault, 2));
    vault.tidy(&[2]).unwrap();
    assert_eq!(token.count(), 1, "the second slot still needs it");
    vault.key(2).unwrap();
    vault.tidy(&[]).unwrap();
    assert_eq!(token.count(), 0);
}

#[test]
fn what_a_power_cut_left_in_the_store_is_swept_and_what_is_kept_stays() {
    let token = Token::default();
    let mut vault = Vault::with_keys(MemoryDisk::default(), token.keys());
    vault.make_key(1).unwrap();
    let before = public(&vault, 1);
    // A key was made, and the power went before its reference was kept.
    token.clone().make(KeyKind::P256).unwrap();
    vault.tidy(&[1]).unwrap();
    assert_eq!(token.count(), 1);
    assert_eq!(public(&vault, 1), before);
}

#[test]
fn power_cuts_never_fill_a_store() {
    let token = Token {
        room: 3,
        ..Token::default()
    };
    let mut disk = MemoryDisk::default();
    for _ in 0..10 {
        // Made again into the same slot after each start, and lost once more beside it.
        let mut vault = Vault::with_keys(disk, token.keys());
        vault.make_key(1).unwrap();
        vault.key(1).unwrap();
        let _ = token.clone().make(KeyKind::P256);
        disk = vault.disk().clone();
    }
    assert!(token.count() <= 3);
}

#[test]
fn a_slot_that_is_made_anew_leaves_no_key_behind() {
    let token = Token::default();
    let mut vault = Vault::with_keys(MemoryDisk::default(), token.keys());
    vault.make_key(1).unwrap();
    let before = public(&vault, 1);
    vault.make_key(1).unwrap();
    assert_ne!(public(&vault, 1), before);
    assert_eq!(token.count(), 1);
}

#[test]
fn a_reference_that_does_not_read_keeps_the_sweep_from_guessing() {
    let token = Token::default();
    let mut vault = Vault::with_keys(MemoryDisk::default(), token.keys());
    vault.make_key(1).unwrap();
    let key = vault.disk().read("slots/1/key").unwrap().unwrap();
    vault.disk_mut().write("slots/1/key", b"").unwrap();
    let error = vault.key(1).map(drop).unwrap_err();
    assert!(matches!(error, VaultError::NoReference(_)), "{error}");
    vault.tidy(&[1]).unwrap();
    assert_eq!(token.count(), 1, "it may be the damaged one's");
    vault.disk_mut().write("slots/1/key", &key).unwrap();
    vault.key(1).unwrap();
}

#[test]
fn a_wipe_destroys_every_key_and_may_be_done_again() {
    let token = Token::default();
    let mut vault = Vault::with_keys(MemoryDisk::default(), token.keys());
    vault.make_key(1).unwrap();
    vault.make_key(2).unwrap();
    vault.disk_mut().write("slots/2/key", b"").unwrap();
    token.clone().make(KeyKind::P256).unwrap();
    vault.activate(1).unwrap();
    for _ in 0..2 {
        for (what, result) in vault.destroy_keys() {
            assert!(result.is_ok(), "{what}: {result:?}");
        }
        assert_eq!(token.count(), 0);
        assert!(vault.disk().list("slots").unwrap().is_empty());
        assert_eq!(vault.disk().target("current").unwrap(), None);
    }
}

#[test]
fn a_key_in_the_clear_of_an_earlier_version_is_used_until_it_is_replaced() {
    let plain = FileKey::generate(KeyKind::P256).unwrap();
    let pem = plain.to_pkcs8_pem().unwrap();
    let mut disk = MemoryDisk::default();
    let bytes = pem.expose_secret().as_bytes();
    disk.write("slots/4/key.pem", bytes).unwrap();
    let mut vault = Vault::with_keys(disk, keys());
    assert_eq!(public(&vault, 4), plain.public_key().spki_der());
    vault.make_key(5).unwrap();
    let new = vault.disk().read("slots/5/key").unwrap().unwrap();
    assert!(new.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    vault.make_key(4).unwrap();
    assert_eq!(vault.disk().read("slots/4/key.pem").unwrap(), None);
}

#[test]
fn other_programs_get_a_key_in_the_clear_or_where_it_is() {
    let mut vault = Vault::with_keys(MemoryDisk::default(), keys());
    vault.make_key(1).unwrap();
    let PairKey::Clear(pem) = vault.pair(1).unwrap().key else {
        panic!("the store `file` gives keys away");
    };
    let exported = FileKey::from_pkcs8_pem(pem.expose_secret()).unwrap();
    assert_eq!(public(&vault, 1), exported.public_key().spki_der());

    let mut vault = Vault::with_keys(MemoryDisk::default(), Token::default().keys());
    vault.make_key(1).unwrap();
    let PairKey::Elsewhere(place) = vault.pair(1).unwrap().key else {
        panic!("this one does not");
    };
    assert_eq!(place, "tpm:1");
}

#[test]
fn without_its_wrapping_key_a_slot_is_noise() {
    let mut vault = Vault::with_keys(MemoryDisk::default(), keys());
    vault.make_key(1).unwrap();
    let disk = vault.disk().clone();
    let rng = Arc::new(SeededRng::new(8));
    let other = enlist_keys::FileStore::in_memory(WrappingKey::generate(&*rng), rng);
    let stranger = Vault::with_keys(disk.clone(), Keys::new(Box::new(other), KeyKind::P256));
    assert!(matches!(stranger.key(1), Err(VaultError::Key { .. })));
    let onlooker = Vault::new(disk);
    assert!(matches!(onlooker.key(1), Err(VaultError::NoKeys)));
}

#[cfg(feature = "tpm")]
#[test]
fn a_factory_key_waits_in_a_file_where_the_store_takes_none() {
    let home = tempfile::tempdir().unwrap();
    let quadruple = common::Rig::pre_enrolled()
        .configuration
        .quadruple
        .clone()
        .unwrap();
    // Nobody is at this socket, and nobody has to be: the TPM is not asked to take a key.
    let spec = enlist_keys::StoreSpec::parse("tpm:swtpm=/nowhere/socket").unwrap();
    let rng = Arc::new(enlist_core::SystemRng);
    let keys = Keys::open(&spec, KeyKind::P256, home.path(), rng).unwrap();
    let mut vault = Vault::with_keys(MemoryDisk::default(), keys);
    vault.adopt(1, &quadruple).unwrap();
    vault.adopt(1, &quadruple).unwrap();
    assert_eq!(public(&vault, 1), quadruple.chain[0].spki_der());
    let kept = vault.disk().read("slots/1/key").unwrap().unwrap();
    assert!(kept.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let error = vault.make_key(2).unwrap_err();
    assert!(
        matches!(&error, VaultError::Key { source, .. } if source.is_transient()),
        "{error:?}"
    );
}
