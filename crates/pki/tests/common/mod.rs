//! A key to sign with and the OpenSSL binary to check against.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::process::{Command, Output};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyUse,
    PublicKey, SignError, SignatureScheme, Signer, sign_certificate,
};

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

pub fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName::new(&[(Attribute::CommonName, common_name)]).unwrap()
}

/// A CA to sign lists and answers with, valid from 1970 to 2060.
pub struct Ca {
    pub key: TestKey,
    pub name: DistinguishedName,
    pub certificate: Certificate,
}

impl Ca {
    pub fn new() -> Self {
        let (key, name) = (TestKey::new(), name("Test CA"));
        let certificate = sign_certificate(
            &CertificateSpec {
                serial: &[1],
                issuer: &name,
                subject: &name,
                public_key: key.public_key(),
                not_before: 0,
                not_after: 2_840_140_800,
                extensions: &[
                    &Extension::certificate_authority(Some(0)).unwrap(),
                    &Extension::key_usage(&[KeyUse::CertificateSigning, KeyUse::CrlSigning])
                        .unwrap(),
                    &Extension::subject_key_id(&key.public_key().key_id()).unwrap(),
                ],
            },
            &key,
        )
        .unwrap();
        Self {
            key,
            name,
            certificate,
        }
    }

    /// Certifies a key, with these extensions besides the key identifiers; valid as the CA is.
    pub fn certify(&self, key: &TestKey, serial: &[u8], more: &[&Extension]) -> Certificate {
        let authority = Extension::authority_key_id(&self.key.public_key().key_id()).unwrap();
        let own = Extension::subject_key_id(&key.public_key().key_id()).unwrap();
        let mut extensions = vec![&authority, &own];
        extensions.extend(more);
        sign_certificate(
            &CertificateSpec {
                serial,
                issuer: &self.name,
                subject: &name("press-7"),
                public_key: key.public_key(),
                not_before: 0,
                not_after: 2_840_140_800,
                extensions: &extensions,
            },
            &self.key,
        )
        .unwrap()
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
