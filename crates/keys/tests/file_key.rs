//! Keys of every kind, there and back, and OpenSSL's word on them.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{openssl, openssl_ok};
use enlist_keys::{FileKey, FileKeyError};
use enlist_pki::{KeyKind, SignError, SignatureScheme, Signer};
use secrecy::ExposeSecret;

const KINDS: [KeyKind; 4] = [
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::Ed25519,
    KeyKind::Rsa(2048),
];

#[test]
fn a_key_is_the_same_after_der_and_pem() {
    for kind in KINDS {
        let key = FileKey::generate(kind).unwrap();
        assert_eq!(key.public_key().kind(), kind);
        let der = FileKey::from_pkcs8_der(key.to_pkcs8_der().unwrap().expose_secret()).unwrap();
        let pem = FileKey::from_pkcs8_pem(key.to_pkcs8_pem().unwrap().expose_secret()).unwrap();
        for again in [der, pem] {
            assert_eq!(again.public_key(), key.public_key());
            let signature = again.sign(b"message").unwrap();
            key.public_key().verify(b"message", &signature).unwrap();
            assert!(key.public_key().verify(b"massage", &signature).is_err());
        }
    }
}

#[test]
fn openssl_reads_our_keys_and_verifies_what_they_sign() {
    for kind in KINDS {
        let key = FileKey::generate(kind).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let write = |name, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write(
            "key",
            key.to_pkcs8_pem().unwrap().expose_secret().as_bytes(),
        );
        write("message", b"message");
        write("signature", &key.sign(b"message").unwrap());
        let digest = match kind {
            KeyKind::Ed25519 => "",
            KeyKind::P384 => "-digest sha384",
            _ => "-digest sha256",
        };
        let verify =
            format!("pkeyutl -verify -rawin {digest} -inkey key -in message -sigfile signature");
        openssl_ok(dir.path(), &verify);
        if let KeyKind::Rsa(_) = kind {
            let pss = key.sign_with(SignatureScheme::RsaPssSha256, b"message");
            write("signature", &pss.unwrap());
            assert!(!openssl(dir.path(), &verify).status.success());
            openssl_ok(
                dir.path(),
                &format!("{verify} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32"),
            );
        }
    }
}

#[test]
fn keys_of_other_tools_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, kind) in [
        (
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            KeyKind::P256,
        ),
        ("ecparam -name prime256v1 -genkey -noout", KeyKind::P256),
        ("ecparam -name secp384r1 -genkey -noout", KeyKind::P384),
        ("genpkey -algorithm ED25519", KeyKind::Ed25519),
        (
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            KeyKind::Rsa(2048),
        ),
        ("genrsa -traditional 2048", KeyKind::Rsa(2048)),
    ] {
        let key = FileKey::from_pkcs8_pem(&openssl_ok(dir.path(), arguments)).unwrap();
        assert_eq!(key.public_key().kind(), kind, "{arguments}");
    }
}

#[test]
fn keys_outside_the_rules_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        "genpkey -algorithm X25519",
        "genpkey -algorithm ED448",
    ] {
        assert!(
            FileKey::from_pkcs8_pem(&openssl_ok(dir.path(), arguments)).is_err(),
            "{arguments}"
        );
    }
    assert!(matches!(
        FileKey::generate(KeyKind::Rsa(1024)),
        Err(FileKeyError::RsaSize(1024))
    ));
}

#[test]
fn what_is_no_key_is_refused_and_not_repeated_in_the_error() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let der = key.to_pkcs8_der().unwrap();
    let der = der.expose_secret();
    for len in 0..der.len() {
        assert!(FileKey::from_pkcs8_der(&der[..len]).is_err());
    }
    for text in [
        "",
        "hello",
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
    ] {
        let error = FileKey::from_pkcs8_pem(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a readable private key: expected PKCS#8, unencrypted"
        );
    }
    assert!(format!("{key:?}").starts_with("FileKey(PublicKey(P-256, "));
}

#[test]
fn a_scheme_that_does_not_fit_is_refused() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    for scheme in [
        SignatureScheme::EcdsaP384Sha384,
        SignatureScheme::Ed25519,
        SignatureScheme::RsaPssSha256,
    ] {
        assert!(matches!(
            key.sign_with(scheme, b""),
            Err(SignError::Unsupported { .. })
        ));
    }
}
