//! Which public keys pass.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, PrivateKey};
use aws_lc_rs::encoding::AsDer;
use common::{TestKey, openssl_ok};
use enlist_pki::{KeyError, KeyKind, PublicKey, Signer};
use tempfile::TempDir;

/// An RSA `SubjectPublicKeyInfo` out of a modulus of `len` octets and an exponent.
fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        let mut out = match content.len() {
            0..0x80 => vec![tag, len[1]],
            0x80..0x100 => vec![tag, 0x81, len[1]],
            _ => vec![tag, 0x82, len[0], len[1]],
        };
        out.extend_from_slice(content);
        out
    }
    let key = [element(2, modulus), element(2, exponent)].concat();
    let bits = [&[0][..], &element(0x30, &key)].concat();
    let algorithm = hex("300d06092a864886f70d0101010500");
    element(0x30, &[algorithm, element(3, &bits)].concat())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn modulus(low: u8) -> Vec<u8> {
    let mut modulus = vec![0xab; 257];
    modulus[0] = 0;
    modulus[256] = low;
    modulus
}

#[test]
fn rsa_exponents_must_be_sane() {
    for exponent in ["01", "03", "010000", "00ffff", "0100000001", "02"] {
        assert!(
            matches!(
                PublicKey::from_spki_der(&rsa_spki(&modulus(1), &hex(exponent))),
                Err(KeyError::RsaExponent)
            ),
            "{exponent}"
        );
    }
    PublicKey::from_spki_der(&rsa_spki(&modulus(1), &hex("010001"))).unwrap();
}

#[test]
fn rsa_keys_have_2048_to_4096_bits() {
    for (octets, bits) in [(128, 1024), (255, 2040), (513, 4104), (2048, 16384)] {
        let modulus = [&[0], &vec![0xab; octets][..]].concat();
        match PublicKey::from_spki_der(&rsa_spki(&modulus, &hex("010001"))) {
            Err(KeyError::RsaSize(size)) => assert_eq!(size, bits),
            other => panic!("{other:?}"),
        }
    }
    let modulus = [&[0], &[0xab; 512][..]].concat();
    PublicKey::from_spki_der(&rsa_spki(&modulus, &hex("010001"))).unwrap();
}

#[test]
fn an_even_rsa_modulus_is_refused() {
    assert!(matches!(
        PublicKey::from_spki_der(&rsa_spki(&modulus(2), &hex("010001"))),
        Err(KeyError::Invalid)
    ));
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let mut spki = TestKey::new().public_key().spki_der().to_vec();
    *spki.last_mut().unwrap() ^= 1;
    assert!(matches!(
        PublicKey::from_spki_der(&spki),
        Err(KeyError::Invalid)
    ));
}

#[test]
fn a_key_put_together_from_its_point_is_the_key() {
    for (kind, curve) in [(KeyKind::P256, &ECDH_P256), (KeyKind::P384, &ECDH_P384)] {
        // Every 128th or so has a coordinate with a leading zero.
        for _ in 0..300 {
            let key = PrivateKey::generate(curve).unwrap().compute_public_key();
            let key = PublicKey::from_spki_der(key.unwrap().as_der().unwrap().as_ref()).unwrap();
            let numbers = &key.point().unwrap()[1..];
            let (x, y) = numbers.split_at(numbers.len() / 2);
            let strip = |bytes: &[u8]| -> Vec<u8> {
                bytes
                    .iter()
                    .copied()
                    .skip_while(|byte| *byte == 0)
                    .collect()
            };
            assert_eq!(PublicKey::from_point(kind, x, y).unwrap(), key);
            let stripped = PublicKey::from_point(kind, &strip(x), &strip(y)).unwrap();
            assert_eq!(stripped, key);
            assert!(PublicKey::from_point(kind, &[x, &[1]].concat(), y).is_err());
        }
    }
}

#[test]
fn bytes_after_the_key_are_refused() {
    let mut spki = TestKey::new().public_key().spki_der().to_vec();
    spki.push(0);
    assert!(matches!(
        PublicKey::from_spki_der(&spki),
        Err(KeyError::Malformed(_))
    ));
}

#[test]
fn the_key_id_is_the_first_160_bits_of_sha256_over_the_key_bits() {
    let dir = TempDir::new().unwrap();
    let key = TestKey::new();
    let spki = key.public_key().spki_der();
    std::fs::write(dir.path().join("bits"), &spki[spki.len() - 65..]).unwrap();
    let digest = openssl_ok(dir.path(), "dgst -sha256 -binary bits");
    assert_eq!(key.public_key().key_id(), digest[..20]);
    std::fs::write(dir.path().join("spki"), spki).unwrap();
    let digest = openssl_ok(dir.path(), "dgst -sha256 -binary spki");
    assert_eq!(key.public_key().digest(), digest[..]);
}

#[test]
fn a_signature_verifies_over_its_own_message_only() {
    let key = TestKey::new();
    let signature = key.sign(b"yes").unwrap();
    assert_eq!(key.public_key().verify(b"yes", &signature), Ok(()));
    assert!(key.public_key().verify(b"no", &signature).is_err());
    assert!(
        TestKey::new()
            .public_key()
            .verify(b"yes", &signature)
            .is_err()
    );
}
