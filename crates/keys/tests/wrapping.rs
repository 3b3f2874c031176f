//! Wrapping keys: what they wrap, where they lie, and who can read it.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::fs;

use common::{openssl, openssl_ok};
use enlist_core::SystemRng;
use enlist_keys::{FileKey, WrappingKey, WrappingKeyError};
use enlist_pki::{KeyKind, Signer};
use secrecy::{ExposeSecret, SecretString};

fn passphrase() -> WrappingKey {
    WrappingKey::from_text(&SecretString::from("correct horse battery")).unwrap()
}

#[test]
fn a_wrapped_key_is_opened_by_its_wrapping_key_alone() {
    for wrapping in [WrappingKey::generate(&SystemRng), passphrase()] {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let wrapped = wrapping.wrap(&key, &SystemRng).unwrap();
        let again = wrapping.unwrap(&wrapped).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(matches!(
            WrappingKey::generate(&SystemRng).unwrap(&wrapped),
            Err(WrappingKeyError::WrongKey)
        ));
        assert!(matches!(
            wrapping.unwrap(b"garbage"),
            Err(WrappingKeyError::NotWrapped)
        ));
    }
}

#[test]
fn openssl_opens_what_we_wrapped_with_the_file_as_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wrapping.key");
    let random = WrappingKey::make(&path, &SystemRng).unwrap();
    fs::write(dir.path().join("phrase"), "correct horse battery\n").unwrap();
    for (wrapping, file) in [(random, "wrapping.key"), (passphrase(), "phrase")] {
        let key = FileKey::generate(KeyKind::P384).unwrap();
        fs::write(
            dir.path().join("ca.p8"),
            wrapping.wrap(&key, &SystemRng).unwrap(),
        )
        .unwrap();
        let open = format!("pkcs8 -inform DER -in ca.p8 -passin file:{file}");
        let pem = openssl_ok(dir.path(), &open);
        let opened = FileKey::from_pkcs8_pem(&pem).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
        let wrong = openssl(dir.path(), "pkcs8 -inform DER -in ca.p8 -passin pass:wrong");
        assert!(!wrong.status.success());
    }
}

#[test]
fn what_openssl_wrapped_opens_here() {
    let dir = tempfile::tempdir().unwrap();
    openssl_ok(dir.path(), "genpkey -algorithm ED25519 -out key");
    fs::write(dir.path().join("phrase"), "correct horse battery\n").unwrap();
    openssl_ok(
        dir.path(),
        "pkcs8 -topk8 -in key -outform DER -out key.p8 -v2 aes-256-cbc -passout file:phrase",
    );
    let key = passphrase()
        .unwrap(&fs::read(dir.path().join("key.p8")).unwrap())
        .unwrap();
    assert_eq!(key.public_key().kind(), KeyKind::Ed25519);
}

#[test]
fn a_sealed_secret_opens_under_its_label_alone() {
    for wrapping in [WrappingKey::generate(&SystemRng), passphrase()] {
        let sealed = wrapping.seal("nonce-key", b"secret", &SystemRng).unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        let opened = wrapping.open("nonce-key", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"secret");
        assert!(matches!(
            wrapping.open("token-key", &sealed),
            Err(WrappingKeyError::WrongKey)
        ));
    }
}

#[test]
fn no_bit_of_a_sealed_secret_can_be_changed() {
    let wrapping = WrappingKey::generate(&SystemRng);
    let sealed = wrapping.seal("label", b"secret", &SystemRng).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(wrapping.open("label", &changed).is_err());
        assert!(wrapping.open("label", &sealed[..at]).is_err());
    }
    let other = WrappingKey::generate(&SystemRng);
    assert!(other.open("label", &sealed).is_err());
    // Twice the same is never the same.
    assert_ne!(
        wrapping.seal("label", b"secret", &SystemRng).unwrap(),
        sealed
    );
}

#[test]
fn the_file_is_made_once_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wrapping.key");
    assert!(matches!(
        WrappingKey::load(&path),
        Err(WrappingKeyError::Missing(_))
    ));
    let made = WrappingKey::make(&path, &SystemRng).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{}\n", made.to_text().expose_secret()));
    assert!(text.starts_with("ewk_") && text.len() == 48);
    let loaded = WrappingKey::load(&path).unwrap();
    assert_eq!(
        loaded.to_text().expose_secret(),
        made.to_text().expose_secret()
    );
    assert!(WrappingKey::make(&path, &SystemRng).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wrapping.key");
    WrappingKey::make(&path, &SystemRng).unwrap();
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for open in [0o640, 0o604, 0o660, 0o644] {
        mode(open);
        let error = WrappingKey::load(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{path} is open to other users: run `chmod 600 {path}`",
                path = path.display()
            )
        );
    }
    mode(0o400);
    WrappingKey::load(&path).unwrap();
}

#[test]
fn a_key_that_is_cut_or_too_short_is_refused() {
    let whole = WrappingKey::generate(&SystemRng);
    let whole = whole.to_text().expose_secret();
    for cut in 5..whole.len() {
        assert!(matches!(
            WrappingKey::from_text(&SecretString::from(&whole[..cut])),
            Err(WrappingKeyError::Damaged)
        ));
    }
    for text in ["", "\n", "short", "elevenchars\nand a second line"] {
        assert!(matches!(
            WrappingKey::from_text(&SecretString::from(text)),
            Err(WrappingKeyError::TooShort)
        ));
    }
    let windows = format!("{whole}\r\n");
    let read = WrappingKey::from_text(&SecretString::from(windows)).unwrap();
    assert_eq!(read.to_text().expose_secret(), whole);
}
