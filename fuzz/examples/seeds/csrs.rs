//! CSRs, good and bad.

use std::path::Path;
use std::process::Command;

use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer, csr};

use crate::Corpus;
use crate::encode::{BIT_STRING, INTEGER, SEQUENCE, SET, extension, replaced, signed, tlv};

/// The content of the object identifier of subjectAltName, and others.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
const EXTENSION_REQUEST: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
/// rsaEncryption with its NULL.
const RSA: [u8; 15] = [
    SEQUENCE, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];

pub fn seeds(corpus: &Corpus) {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let plain = csr::build(&key, "press-7").unwrap();
    corpus.taken("p256", &plain);
    for (name, kind) in [
        ("p384", KeyKind::P384),
        ("ed25519", KeyKind::Ed25519),
        ("rsa-2048", KeyKind::Rsa(2048)),
    ] {
        let key = FileKey::generate(kind).unwrap();
        corpus.taken(name, &csr::build(&key, "press-7").unwrap());
    }

    // What it wishes is taken note of, and no more.
    let dns = |name: &[u8]| extension(&SUBJECT_ALT_NAME, &tlv(SEQUENCE, &[&tlv(0x82, &[name])]));
    let ca = extension(&BASIC_CONSTRAINTS, &tlv(SEQUENCE, &[&[1, 1, 0xff]]));
    corpus.taken("wants-names", &wanting(&key, &[&dns(b"press-7.example")]));
    corpus.taken("wants-wildcard", &wanting(&key, &[&dns(b"*.example")]));
    corpus.taken("wants-to-be-a-ca", &wanting(&key, &[&ca]));
    corpus.refused("wants-twice", &wanting(&key, &[&ca, &ca]));
    corpus.taken("wants-nul", &wanting(&key, &[&dns(b"press-7\0.example")]));
    corpus.refused("wants-not-ascii", &wanting(&key, &[&dns(b"pr\xe9ss")]));

    let other = FileKey::generate(KeyKind::P256).unwrap();
    let forged = replaced(
        &plain,
        key.public_key().spki_der(),
        other.public_key().spki_der(),
    );
    corpus.refused("of-anothers-key", &forged);
    corpus.refused("cut-off", &plain[..plain.len() - 1]);
    corpus.refused("with-more-after-it", &[&plain[..], &[0]].concat());
    corpus.refused("nothing", b"");

    let modulus = |bytes: usize| [&[0, 0xc3][..], &vec![0x5b; bytes - 1]].concat();
    corpus.refused("rsa-exponent-1", &rsa(&modulus(256), &[1], &key));
    corpus.refused("rsa-65536-bits", &rsa(&modulus(8192), &[1, 0, 1], &key));
    corpus.refused("rsa-negative", &rsa(&modulus(256)[1..], &[1, 0, 1], &key));

    for (name, genpkey, req) in [
        ("rsa-exponent-3", "RSA -pkeyopt rsa_keygen_pubexp:3", ""),
        ("rsa-1024", "RSA -pkeyopt rsa_keygen_bits:1024", ""),
        ("p521", "EC -pkeyopt ec_paramgen_curve:P-521", ""),
        ("sha1", "EC -pkeyopt ec_paramgen_curve:P-256", "-sha1"),
    ] {
        corpus.refused(name, &openssl(genpkey, req));
    }
}

/// A CSR that wants these extensions.
fn wanting(key: &FileKey, extensions: &[&[u8]]) -> Vec<u8> {
    let wanted = tlv(SET, &[&tlv(SEQUENCE, extensions)]);
    let attribute = tlv(SEQUENCE, &[&EXTENSION_REQUEST, &wanted]);
    let info = info(key.public_key().spki_der(), &attribute);
    signed(&info, key)
}

/// A CSR over a key that has no private part; its signature is another key's.
fn rsa(modulus: &[u8], exponent: &[u8], signer: &FileKey) -> Vec<u8> {
    let key = tlv(
        SEQUENCE,
        &[&tlv(INTEGER, &[modulus]), &tlv(INTEGER, &[exponent])],
    );
    let spki = tlv(SEQUENCE, &[&RSA, &tlv(BIT_STRING, &[&[0], &key])]);
    signed(&info(&spki, &[]), signer)
}

fn info(spki: &[u8], attributes: &[u8]) -> Vec<u8> {
    let name = tlv(SEQUENCE, &[&[6, 3, 0x55, 4, 3], &tlv(0x0c, &[b"press-7"])]);
    let subject = tlv(SEQUENCE, &[&tlv(SET, &[&name])]);
    tlv(
        SEQUENCE,
        &[&[2, 1, 0], &subject, spki, &tlv(0xa0, &[attributes])],
    )
}

fn openssl(genpkey: &str, req: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let status = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(directory.path())
            .status();
        assert!(status.unwrap().success(), "openssl {line}");
    };
    run(&format!("genpkey -algorithm {genpkey} -out key.pem"));
    run(&format!(
        "req -new -key key.pem -subj /CN=press-7 -outform DER -out csr.der {req}"
    ));
    std::fs::read(Path::join(directory.path(), "csr.der")).unwrap()
}
