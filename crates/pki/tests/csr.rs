//! CSRs of every kind that clients make, and every way to spoil one.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{TestKey, openssl_ok, text};
use enlist_pki::csr::{self, MAX_CSR_LEN};
use enlist_pki::{Csr, CsrError, KeyError, KeyKind, Signer, SubjectName, oid};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, SanType};
use tempfile::TempDir;

fn plain() -> Vec<u8> {
    csr::build(&TestKey::new(), "press-7").unwrap()
}

/// Makes a key with `genpkey` and a CSR over it with `req`.
fn from_openssl(genpkey: &str, req: &str) -> Result<Csr, CsrError> {
    let dir = TempDir::new().unwrap();
    openssl_ok(dir.path(), &format!("genpkey {genpkey} -out key.pem"));
    let req = format!("req -new -key key.pem -subj /CN=press-7 {req}");
    Csr::from_pem(&text(openssl_ok(dir.path(), &req)))
}

#[test]
fn our_own_csr_reads_back_and_asks_for_nothing() {
    let key = TestKey::new();
    let csr = Csr::from_der(&csr::build(&key, "press-7").unwrap()).unwrap();
    assert_eq!(csr.public_key(), key.public_key());
    assert_eq!(csr.subject_common_name(), Some("press-7"));
    assert!(csr.requested().is_plain());
    assert_eq!(Csr::from_pem(&csr.to_pem()).unwrap().der(), csr.der());
}

#[test]
fn openssl_verifies_our_csr() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("csr.der"), plain()).unwrap();
    let shown = openssl_ok(
        dir.path(),
        "req -inform DER -in csr.der -verify -noout -subject",
    );
    assert_eq!(text(shown).trim(), "subject=CN = press-7");
}

#[test]
fn a_name_that_does_not_fit_is_refused_in_building() {
    for name in ["", &"n".repeat(65)] {
        assert!(csr::build(&TestKey::new(), name).is_err());
    }
    assert!(csr::build(&TestKey::new(), &"n".repeat(64)).is_ok());
}

#[test]
fn every_kind_of_key_is_taken_from_openssl() {
    for (genpkey, kind) in [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            KeyKind::P256,
        ),
        // With SHA-256, which OpenSSL uses unless told otherwise.
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            KeyKind::P384,
        ),
        ("-algorithm ED25519", KeyKind::Ed25519),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            KeyKind::Rsa(2048),
        ),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:3072",
            KeyKind::Rsa(3072),
        ),
    ] {
        let csr = from_openssl(genpkey, "").unwrap();
        assert_eq!(csr.public_key().kind(), kind);
        assert_eq!(csr.subject_common_name(), Some("press-7"));
        assert!(csr.requested().is_plain());
    }
}

#[test]
fn every_usual_hash_is_taken() {
    for genpkey in [
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    ] {
        for hash in ["-sha256", "-sha384", "-sha512"] {
            from_openssl(genpkey, hash).unwrap();
        }
    }
}

#[test]
fn sha1_and_pss_are_refused_as_signatures() {
    for (genpkey, req) in [
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-sha1"),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "-sha1"),
        (
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            "-sigopt rsa_padding_mode:pss",
        ),
    ] {
        let refusal = from_openssl(genpkey, req).unwrap_err();
        assert!(matches!(refusal, CsrError::UnsupportedSignature), "{req}");
    }
}

#[test]
fn keys_outside_the_rules_are_refused_by_name() {
    let refusal = |genpkey: &str| match from_openssl(genpkey, "").unwrap_err() {
        CsrError::Key(key) => key,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        refusal("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
        KeyError::RsaSize(1024)
    ));
    assert!(matches!(
        refusal("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3"),
        KeyError::RsaExponent
    ));
    for curve in ["P-521", "secp256k1", "brainpoolP256r1"] {
        assert!(matches!(
            refusal(&format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}")),
            KeyError::UnsupportedCurve
        ));
    }
    assert!(matches!(
        refusal("-algorithm ED448"),
        KeyError::UnsupportedAlgorithm(_)
    ));
}

#[test]
fn compressed_points_and_explicit_curves_are_refused() {
    let dir = TempDir::new().unwrap();
    for (form, refused_as_point) in [
        ("-conv_form compressed", true),
        ("-param_enc explicit", false),
    ] {
        openssl_ok(
            dir.path(),
            "ecparam -name prime256v1 -genkey -noout -out plain.pem",
        );
        openssl_ok(dir.path(), &format!("ec -in plain.pem {form} -out key.pem"));
        let csr = text(openssl_ok(dir.path(), "req -new -key key.pem -subj /CN=x"));
        match Csr::from_pem(&csr).unwrap_err() {
            CsrError::Key(KeyError::Invalid) => assert!(refused_as_point),
            CsrError::Key(KeyError::UnsupportedCurve) => assert!(!refused_as_point),
            other => panic!("{form}: {other:?}"),
        }
    }
}

#[test]
fn what_a_csr_wants_is_listed() {
    let mut params = CertificateParams::new(vec!["press-7.example".into()]).unwrap();
    params
        .subject_alt_names
        .push(SanType::IpAddress("10.1.2.3".parse().unwrap()));
    params
        .subject_alt_names
        .push(SanType::URI("urn:uuid:x".try_into().unwrap()));
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let csr = Csr::from_der(params.serialize_request(&key).unwrap().der()).unwrap();
    assert_eq!(
        csr.requested().names,
        [
            SubjectName::Dns("press-7.example".into()),
            SubjectName::Ip("10.1.2.3".parse().unwrap()),
            SubjectName::Uri("urn:uuid:x".into()),
        ]
    );
    assert_eq!(csr.requested().extensions, [oid::SUBJECT_ALT_NAME]);
    assert!(!csr.requested().ca);
    assert!(!csr.requested().is_plain());
}

#[test]
fn a_csr_that_wants_to_be_a_ca_says_so() {
    let csr = from_openssl(
        "-algorithm ED25519",
        "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign",
    )
    .unwrap();
    assert!(csr.requested().ca);
    assert_eq!(
        csr.requested().extensions,
        [oid::BASIC_CONSTRAINTS, oid::KEY_USAGE]
    );
}

#[test]
fn rsa_keys_of_no_use_are_refused_before_anything_is_computed() {
    // The modulus of an honest key, with an exponent of 1; and one of 65,536 bits.
    let modulus = |len: usize| {
        let mut bytes = vec![0xc5; len];
        bytes.insert(0, 0);
        integer(&bytes)
    };
    for (modulus, exponent, expected) in [
        (modulus(256), integer(&[1]), "exponent"),
        (modulus(256), integer(&[0]), "exponent"),
        (modulus(256), integer(&[1, 0, 0]), "exponent"),
        (modulus(8192), integer(&[1, 0, 1]), "65536 bits"),
    ] {
        let key = element(0x30, &[&modulus[..], &exponent].concat());
        let algorithm = [
            0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0,
        ];
        let bits = element(0x03, &[&[0], &key[..]].concat());
        let spki = element(0x30, &[&algorithm, &bits[..]].concat());
        let info = [&[2, 1, 0, 0x30, 0], &spki[..], &[0xa0, 0]].concat();
        let signature = [
            &[
                0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0,
            ][..],
            &[3, 2, 0, 1],
        ];
        let csr = element(
            0x30,
            &[&element(0x30, &info)[..], &signature.concat()].concat(),
        );
        let refusal = match Csr::from_der(&csr).unwrap_err() {
            CsrError::Key(key) => key.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(refusal.contains(expected), "{refusal}");
    }
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    element(0x02, bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=127 => out.push(u8::try_from(len).unwrap()),
        len => {
            out.push(0x82);
            out.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

#[test]
fn a_challenge_password_is_passed_over() {
    let dir = TempDir::new().unwrap();
    std::fs::write(
        dir.path().join("req.cnf"),
        "[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\nCN=x\n[at]\nchallengePassword=hunter22\n",
    )
    .unwrap();
    openssl_ok(dir.path(), "genpkey -algorithm ED25519 -out key.pem");
    let csr = text(openssl_ok(
        dir.path(),
        "req -new -key key.pem -config req.cnf",
    ));
    assert!(Csr::from_pem(&csr).unwrap().requested().is_plain());
}

#[test]
fn a_csr_for_somebody_elses_key_is_refused() {
    // The key of one CSR under the signature of another: same length, so splice it in.
    let (mine, theirs) = (TestKey::new(), TestKey::new());
    let mut forged = csr::build(&mine, "press-7").unwrap();
    let spki = mine.public_key().spki_der();
    let at = forged.windows(spki.len()).position(|w| w == spki).unwrap();
    forged[at..at + spki.len()].copy_from_slice(theirs.public_key().spki_der());
    assert!(matches!(
        Csr::from_der(&forged).unwrap_err(),
        CsrError::WrongSignature
    ));
}

#[test]
fn trailing_bytes_are_refused() {
    let mut csr = plain();
    csr.push(0);
    assert!(matches!(
        Csr::from_der(&csr).unwrap_err(),
        CsrError::TrailingBytes
    ));
}

#[test]
fn every_truncation_is_refused() {
    let csr = plain();
    for len in 0..csr.len() {
        assert!(matches!(
            Csr::from_der(&csr[..len]).unwrap_err(),
            CsrError::Malformed(_)
        ));
    }
}

#[test]
fn length_is_checked_before_anything_else() {
    assert!(matches!(
        Csr::from_der(&vec![0x30; MAX_CSR_LEN + 1]).unwrap_err(),
        CsrError::TooLarge(_)
    ));
    assert!(matches!(
        Csr::from_pem(&"x".repeat(MAX_CSR_LEN * 2 + 1)).unwrap_err(),
        CsrError::TooLarge(_)
    ));
    assert!(matches!(
        Csr::from_der(&vec![0x30; MAX_CSR_LEN]).unwrap_err(),
        CsrError::Malformed(_)
    ));
}

#[test]
fn text_without_a_csr_is_no_csr() {
    for text in ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\n!!!\n"] {
        assert!(matches!(Csr::from_pem(text), Err(CsrError::Pem(_))));
    }
}

proptest! {
    /// Whatever one changes, it is refused: every bit is under the signature or part of it.
    #[test]
    fn a_changed_csr_is_refused(at in 0usize..1000, flip in 1u8..) {
        let mut csr = plain();
        let at = at % csr.len();
        csr[at] ^= flip;
        prop_assert!(Csr::from_der(&csr).is_err());
    }

    #[test]
    fn any_bytes_at_all_are_answered_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Csr::from_der(&bytes).is_err());
    }
}
