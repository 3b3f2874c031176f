//! What every store promises.

use std::error::Error;
use std::sync::Arc;

use enlist_keys::{Binding, FileKey, KeyReference, KeyStoreError, StoreKind};
use enlist_pki::{Csr, KeyKind, SignatureScheme, Signer};
use secrecy::ExposeSecret;

use crate::bench::Bench;
use crate::tls;

/// An error with all its causes, as a person would read it.
pub fn words(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

pub fn a_key_opens_after_the_store_was_closed(bench: &Bench) {
    let kept = {
        let mut store = bench.store();
        let reference = store.make(KeyKind::P256).unwrap();
        let key = store.open(&reference).unwrap();
        (reference.as_str().to_owned(), key.public_key().clone())
    };
    // All that is left is the text, as it was written to a file.
    let reference = KeyReference::parse(&kept.0).unwrap();
    assert_eq!(reference.kind(), Some(bench.store().kind()));
    let again = bench.store().open(&reference).unwrap();
    assert_eq!(again.public_key(), &kept.1);
    let with_newline = KeyReference::parse(&format!("{}\n", kept.0)).unwrap();
    let again = bench.store().open(&with_newline).unwrap();
    assert_eq!(again.public_key(), &kept.1);
}

pub fn what_a_key_signs_its_public_half_verifies(bench: &Bench) {
    let mut store = bench.store();
    for kind in [KeyKind::P256, KeyKind::P384] {
        let reference = store.make(kind).unwrap();
        let key = store.open(&reference).unwrap();
        assert_eq!(key.public_key().kind(), kind);
        // Often enough that an integer with leading zeros comes by now and then.
        for message in 0..20u8 {
            let signature = key.sign(&[message; 100]).unwrap();
            key.public_key()
                .verify(&[message; 100], &signature)
                .unwrap();
            assert!(key.public_key().verify(&[message; 99], &signature).is_err());
        }
        for scheme in [SignatureScheme::Ed25519, SignatureScheme::RsaPssSha256] {
            assert!(key.sign_with(scheme, b"").is_err());
        }
    }
}

pub fn a_csr_over_a_key_verifies(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    let key = store.open(&reference).unwrap();
    let der = enlist_pki::csr::build(&*key, "device-1").unwrap();
    // Reading one verifies it.
    let csr = Csr::from_der(&der).unwrap();
    assert_eq!(csr.public_key(), key.public_key());
}

pub fn tls_is_spoken_with_a_key(bench: &Bench) {
    let mut store = bench.store();
    for kind in [KeyKind::P256, KeyKind::P384] {
        let reference = store.make(kind).unwrap();
        let key = store.open(&reference).unwrap();
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            tls::handshake_with(&key, version).unwrap();
        }
    }
}

pub fn a_key_signs_from_many_threads_at_once(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    let key = store.open(&reference).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let key = Arc::clone(&key);
            scope.spawn(move || {
                for message in 0..5u8 {
                    let message = [thread, message];
                    let signature = key.sign(&message).unwrap();
                    key.public_key().verify(&message, &signature).unwrap();
                }
            });
        }
    });
}

pub fn a_destroyed_key_is_gone_and_may_be_destroyed_again(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    let other = store.make(KeyKind::P256).unwrap();
    store.destroy(&reference).unwrap();
    store.destroy(&reference).unwrap();
    bench.store().open(&other).unwrap();
    if bench.in_hardware() {
        let gone = bench.store().open(&reference).err().unwrap();
        assert!(matches!(gone, KeyStoreError::Gone(_)), "{gone}");
        // What comes to its place is not taken for it.
        let next = store.make(KeyKind::P256).unwrap();
        store.destroy(&reference).unwrap();
        assert!(bench.store().open(&reference).is_err());
        bench.store().open(&next).unwrap();
    }
}

pub fn a_sweep_takes_only_what_is_not_kept(bench: &Bench) {
    let mut store = bench.store();
    assert_eq!(store.sweep(&[]).unwrap(), 0);
    let made: Vec<_> = (0..4).map(|_| store.make(KeyKind::P256).unwrap()).collect();
    // The agent's earlier key, in a file, may be among what it keeps.
    let foreign = KeyReference::parse("-----BEGIN PRIVATE KEY-----").unwrap();
    let keep = [made[1].clone(), foreign, made[3].clone()];
    let swept = bench.store().sweep(&keep).unwrap();
    assert_eq!(swept, if bench.in_hardware() { 2 } else { 0 });
    for (at, reference) in made.iter().enumerate() {
        let kept = !bench.in_hardware() || at % 2 == 1;
        assert_eq!(bench.store().open(reference).is_ok(), kept, "{at}");
    }
    assert_eq!(bench.store().sweep(&keep).unwrap(), 0);
}

pub fn a_sweep_that_cannot_tell_takes_nothing(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    let cut = &reference.as_str()[..reference.as_str().len() - 2];
    for unclear in [cut, "garbage"] {
        let unclear = KeyReference::parse(unclear).unwrap();
        let swept = store.sweep(&[unclear]);
        assert_eq!(swept.is_err(), bench.in_hardware());
        store.open(&reference).unwrap();
    }
}

pub fn a_reference_that_is_cut_or_changed_is_refused(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    let text = reference.as_str();
    for end in 0..text.trim_end().len() {
        if let Ok(cut) = KeyReference::parse(&text[..end]) {
            let error = store
                .open(&cut)
                .err()
                .unwrap_or_else(|| panic!("cut at {end}"));
            assert!(
                matches!(error, KeyStoreError::Reference(_)),
                "{end}: {error}"
            );
            if bench.in_hardware() {
                assert!(store.destroy(&cut).is_err());
            }
        }
    }
    for at in 0..text.trim_end().len() {
        for other in [b'0', b'Z', b';'] {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = other;
            let changed = String::from_utf8(changed).unwrap();
            if changed == text {
                continue;
            }
            let changed = KeyReference::parse(&changed).unwrap();
            // Some bits of a PEM text mean nothing; none may lead to another key.
            if let Ok(key) = store.open(&changed) {
                let right = store.open(&reference).unwrap();
                assert_eq!(key.public_key(), right.public_key(), "{other} at {at}");
                assert!(!bench.in_hardware(), "{other} at {at}");
            }
        }
    }
    store.open(&reference).unwrap();
}

pub fn the_reference_of_another_store_is_refused(bench: &Bench) {
    let digest = "0".repeat(64);
    let mut store = bench.store();
    for text in [
        "garbage".to_owned(),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned(),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        format!("tpm:0x81018000;sha256={digest}"),
        format!("pkcs11:id={};sha256={digest}", "0".repeat(32)),
    ] {
        let reference = KeyReference::parse(&text).unwrap();
        let error = store.open(&reference).err().unwrap();
        let own = reference.kind() == Some(store.kind()) && bench.in_hardware();
        match error {
            KeyStoreError::Gone(kind) => assert!(own && kind == store.kind(), "{text}"),
            KeyStoreError::Reference(kind) => assert!(!own && kind == store.kind(), "{text}"),
            other => panic!("{text}: {other}"),
        }
        assert!(store.export(&reference).is_err());
        if bench.in_hardware() {
            assert_eq!(store.destroy(&reference).is_ok(), own, "{text}");
        }
    }
}

pub fn only_the_file_store_takes_and_gives_keys(bench: &Bench) {
    let mut store = bench.store();
    let elsewhere = FileKey::generate(KeyKind::P256).unwrap();
    let made = store.make(KeyKind::P256).unwrap();
    if bench.in_hardware() {
        let refusal = store.import(&elsewhere).unwrap_err();
        assert!(matches!(refusal, KeyStoreError::CannotImport(_)));
        assert!(!refusal.is_transient());
        assert!(store.export(&made).unwrap().is_none());
        assert_eq!(store.binding(), Binding::Hardware);
        assert!(!made.as_str().contains("BEGIN"));
        return;
    }
    let taken = store.import(&elsewhere).unwrap();
    let opened = store.open(&taken).unwrap();
    assert_eq!(opened.public_key(), elsewhere.public_key());
    for reference in [made, taken] {
        let pem = store.export(&reference).unwrap().unwrap();
        let key = FileKey::from_pkcs8_pem(pem.expose_secret()).unwrap();
        let opened = store.open(&reference).unwrap();
        assert_eq!(key.public_key(), opened.public_key());
    }
}

pub fn a_kind_of_key_that_is_not_made_is_named(bench: &Bench) {
    let mut store = bench.store();
    for kind in [KeyKind::Ed25519, KeyKind::Rsa(2048)] {
        let made = store.make(kind);
        if bench.in_hardware() {
            let error = made.unwrap_err();
            assert!(error.to_string().contains(&kind.to_string()), "{error}");
        } else {
            let key = store.open(&made.unwrap()).unwrap();
            assert_eq!(key.public_key().kind(), kind);
        }
    }
}

pub fn nothing_is_left_after_retiring(bench: &Bench) {
    let mut store = bench.store();
    let reference = store.make(KeyKind::P256).unwrap();
    store.destroy(&reference).unwrap();
    assert_eq!(store.sweep(&[]).unwrap(), 0);
    store.retire().unwrap();
    store.retire().unwrap();
    assert!(bench.store().open(&reference).is_err());
    assert_eq!(bench.directory().read_dir().unwrap().count(), 0);
    // And it can be used anew.
    let next = bench.store().make(KeyKind::P256).unwrap();
    let key = bench.store().open(&next).unwrap();
    key.sign(b"").unwrap();
    if bench.store().kind() == StoreKind::File {
        // With another wrapping key: what is left of the old one's keys stays shut.
        assert!(bench.store().open(&reference).is_err());
    }
}
