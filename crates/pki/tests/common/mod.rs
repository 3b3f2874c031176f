//! A key to sign with and the OpenSSL binary to check against.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::process::{Command, Output};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use enlist_pki::{KeyKind, PublicKey, SignError, SignatureScheme, Signer};

/// A P-256 key in memory.
pub struct TestKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl TestKey {
    pub fn new() -> Self {
        use aws_lc_rs::encoding::AsDer;
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        let public = PublicKey::from_spki_der(spki.as_ref()).unwrap();
        Self { pair, public }
    }
}

impl Signer for TestKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        assert_eq!(scheme, SignatureScheme::EcdsaP256Sha256);
        assert_eq!(self.public.kind(), KeyKind::P256);
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        Ok(signature.as_ref().to_vec())
    }
}

/// Runs `openssl` in `dir`; its arguments are split at blanks.
pub fn openssl(dir: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("the openssl binary is there")
}

/// The same, which must succeed; returns its stdout.
pub fn openssl_ok(dir: &Path, arguments: &str) -> Vec<u8> {
    let output = openssl(dir, arguments);
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
