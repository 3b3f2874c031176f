//! A TPM proves which machine it is in, and that a key is its own.

use std::path::Path;
use std::process::Command;

use enlist_keys::attestation::{Attestor, Certified, open_attestor};
use enlist_keys::{KeyReference, KeyStoreError, StoreSpec};
use enlist_pki::{KeyKind, PublicKey};
use tpm2_protocol::TpmUnmarshal;
use tpm2_protocol::data::{TpmtPublic, TpmtSignature, TpmuPublicId, TpmuSignature};

use crate::bench::Bench;
use crate::installed::installed;
use crate::promises::words;
use crate::swtpm::Swtpm;

/// The attestor of the TPM that these words name.
pub fn attestor(key_store: &str) -> Box<dyn Attestor> {
    let StoreSpec::Tpm(spec) = StoreSpec::parse(key_store).unwrap() else {
        panic!("no TPM");
    };
    open_attestor(&spec).unwrap()
}

fn public(bytes: &[u8]) -> TpmtPublic {
    let (public, rest) = TpmtPublic::unmarshal(bytes).unwrap();
    assert!(rest.is_empty());
    public
}

/// What OpenSSL finds in a certificate: here, its key's modulus or point.
fn openssl_says(certificate: &[u8], directory: &Path) -> String {
    let path = directory.join("ek.der");
    std::fs::write(&path, certificate).unwrap();
    let shown = Command::new("openssl")
        .args(["x509", "-inform", "DER", "-noout", "-modulus", "-in"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(shown.stdout).unwrap()
}

#[test]
fn an_endorsed_tpm_shows_the_certificate_that_goes_with_its_key() {
    let Some(mut tpm) = Swtpm::start_endorsed() else {
        return;
    };
    let said = attestor(&tpm.key_store()).endorsement().unwrap();
    let [certificate] = &said.ek_certificates[..] else {
        panic!("one certificate: {}", said.ek_certificates.len());
    };
    let TpmuPublicId::Rsa(modulus) = public(&said.ek_public).unique else {
        panic!("an RSA key comes first");
    };
    let directory = tempfile::tempdir().unwrap();
    let shown = openssl_says(certificate, directory.path());
    let modulus: String = modulus.iter().map(|byte| format!("{byte:02X}")).collect();
    assert!(shown.contains(&modulus), "{shown}");
    assert_eq!(tpm.transient(), 0);
    // After a power cut it is the same, attestation key included.
    tpm.bring_back();
    assert_eq!(attestor(&tpm.key_store()).endorsement().unwrap(), said);
    // Another board says something else.
    tpm.replace();
    let other = attestor(&tpm.key_store()).endorsement().unwrap();
    assert_ne!(other.ek_public, said.ek_public);
    assert_ne!(other.ak_public, said.ak_public);
    assert_eq!(other.ek_certificates.len(), 1);
}

#[test]
fn where_the_rsa_certificate_is_gone_the_next_one_is_shown() {
    let Some(tpm) = Swtpm::start_endorsed() else {
        return;
    };
    if !installed("tpm2_nvundefine", "tpm2-tools") {
        return;
    }
    let tools = Tools::new(&tpm);
    tools.run("tpm2_nvundefine", &["-C", "p", "0x01c00002"]);
    // Neither is there any key that was kept.
    for handle in tpm.persistent() {
        tools.run("tpm2_evictcontrol", &["-c", &format!("{handle:#010x}")]);
    }
    let said = attestor(&tpm.key_store()).endorsement().unwrap();
    let TpmuPublicId::Ecc(point) = public(&said.ek_public).unique else {
        panic!("a P-384 key");
    };
    assert_eq!(point.x.len(), 48);
    assert_eq!(said.ek_certificates.len(), 1);
    assert_eq!(tpm.transient(), 0);
    opens_a_challenge(&tpm, &tools);
}

#[test]
fn a_tpm_without_certificates_has_an_endorsement_key_all_the_same() {
    let Some(tpm) = Swtpm::start() else { return };
    let said = attestor(&tpm.key_store()).endorsement().unwrap();
    assert!(said.ek_certificates.is_empty());
    assert!(matches!(
        public(&said.ek_public).unique,
        TpmuPublicId::Rsa(_)
    ));
    assert_eq!(tpm.transient(), 0);
    if installed("tpm2_makecredential", "tpm2-tools") {
        opens_a_challenge(&tpm, &Tools::new(&tpm));
    }
}

#[test]
fn what_was_sealed_for_it_opens_and_nothing_else_does() {
    let Some(tpm) = Swtpm::start_endorsed() else {
        return;
    };
    if installed("tpm2_makecredential", "tpm2-tools") {
        opens_a_challenge(&tpm, &Tools::new(&tpm));
    }
}

/// Has tpm2-tools seal a secret for this TPM, and the TPM open it.
fn opens_a_challenge(tpm: &Swtpm, tools: &Tools) {
    let attestor = attestor(&tpm.key_store());
    let said = attestor.endorsement().unwrap();
    let (blob, secret) = tools.make_credential(&said.ek_public, &said.ak_public, &[7; 32]);
    let opened = attestor.activate(&blob, &secret);
    assert_eq!(opened.map_err(|error| words(&error)), Ok([7; 32]));
    assert_eq!(tpm.transient(), 0);
    assert_eq!(sessions(tpm), 0);

    for (blob, secret) in [
        (&blob[..blob.len() - 1], &secret[..]),
        (&blob[..], &secret[..secret.len() - 1]),
        (&blob[..], &[]),
        (&[], &secret[..]),
    ] {
        let refused = attestor.activate(blob, secret).unwrap_err();
        assert!(words(&refused).contains("it is damaged"), "{refused}");
        assert!(!refused.is_transient());
    }
    let last = blob.len() - 1;
    let mut changed = blob.clone();
    changed[last] ^= 1;
    let refused = attestor.activate(&changed, &secret).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("refuses to open the server's challenge"),
        "{}",
        words(&refused)
    );
    // For another attestation key of the same TPM.
    let (blob, secret) = tools.make_credential(&said.ek_public, &said.ek_public, &[7; 32]);
    attestor.activate(&blob, &secret).unwrap_err();
    // What is no challenge of ours.
    let (blob, secret) = tools.make_credential(&said.ek_public, &said.ak_public, &[7; 16]);
    let refused = attestor.activate(&blob, &secret).unwrap_err();
    assert!(words(&refused).contains("32 bytes"), "{}", words(&refused));
    assert_eq!((tpm.transient(), sessions(tpm)), (0, 0));
}

#[test]
fn a_key_is_certified_by_the_attestation_key() {
    let Some(tpm) = Swtpm::start() else { return };
    let bench = Bench::new(&tpm.key_store());
    for kind in [KeyKind::P256, KeyKind::P384] {
        let key = bench.store().make(kind).unwrap();
        let attestor = attestor(&tpm.key_store());
        let said = attestor.endorsement().unwrap();
        let certified = attestor.certify(&key, &[5; 32]).unwrap();
        let by = public(&said.ak_public);
        assert!(holds(&certified, &by), "the signature is by it");
        assert!(
            certified
                .certify_info
                .windows(32)
                .any(|part| part == [5; 32])
        );
        let signer = bench.store().open(&key).unwrap();
        let TpmuPublicId::Ecc(point) = public(&certified.key_public).unique else {
            panic!("an elliptic curve");
        };
        let spki = signer.public_key().spki_der();
        assert!(spki.ends_with(&[&point.x[..], &point.y[..]].concat()));
    }
    assert_eq!(tpm.transient(), 0);
}

#[test]
fn a_key_that_is_gone_or_another_is_not_certified() {
    let Some(mut tpm) = Swtpm::start() else {
        return;
    };
    let bench = Bench::new(&tpm.key_store());
    let key = bench.store().make(KeyKind::P256).unwrap();
    let attestor = attestor(&tpm.key_store());
    tpm.replace();
    let gone = attestor.certify(&key, &[0; 32]).unwrap_err();
    assert!(matches!(gone, KeyStoreError::Gone(_)), "{gone}");
    bench.store().make(KeyKind::P256).unwrap();
    let other = attestor.certify(&key, &[0; 32]).unwrap_err();
    assert!(matches!(other, KeyStoreError::AnotherKey { .. }), "{other}");
    let file = KeyReference::parse("-----BEGIN PRIVATE KEY-----").unwrap();
    let wrong = attestor.certify(&file, &[0; 32]).unwrap_err();
    assert!(matches!(wrong, KeyStoreError::Reference(_)), "{wrong}");
    tpm.stop();
    assert!(attestor.endorsement().unwrap_err().is_transient());
    assert!(attestor.certify(&key, &[0; 32]).unwrap_err().is_transient());
}

#[test]
fn a_hierarchy_with_a_password_says_what_is_wrong() {
    let Some(tpm) = Swtpm::start() else { return };
    if !installed("tpm2_changeauth", "tpm2-tools") {
        return;
    }
    Tools::new(&tpm).run("tpm2_changeauth", &["-c", "e", "secret"]);
    let refused = attestor(&tpm.key_store()).endorsement().unwrap_err();
    let words = words(&refused);
    assert!(
        words.contains("endorsement hierarchy has a password"),
        "{words}"
    );
    assert!(!refused.is_transient(), "it does not pass by itself");
}

#[test]
fn a_key_that_its_manufacturer_has_left_signs_and_one_that_may_not_does_not() {
    let Some(tpm) = Swtpm::start() else { return };
    if !installed("tpm2_createprimary", "tpm2-tools") {
        return;
    }
    let tools = Tools::new(&tpm);
    let always = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";
    let made = |attributes: &str, handle: &str| {
        let kind = "ecc256:ecdsa-sha256:null";
        let make = ["-C", "e", "-G", kind, "-a", attributes, "-c", "key"];
        tools.run("tpm2_createprimary", &make);
        tools.run("tpm2_flushcontext", &["-t"]);
        tools.run("tpm2_evictcontrol", &["-c", "key", handle]);
        let read = ["-c", handle, "-f", "der", "-o", "spki"];
        tools.run("tpm2_readpublic", &read);
        let spki = std::fs::read(tools.directory.path().join("spki")).unwrap();
        let digest = enlist_core::Digest::of(&spki).to_hex();
        KeyReference::parse(&format!("tpm:{handle};sha256={digest}")).unwrap()
    };
    let store = Bench::new(&tpm.key_store()).store();
    let key = store.open(&made(always, "0x81020000")).unwrap();
    let signature = key.sign(b"hello").unwrap();
    key.public_key().verify(b"hello", &signature).unwrap();
    let restricted = made(&format!("{always}|restricted"), "0x81020001");
    let other = store.open(&restricted).err().unwrap();
    assert!(matches!(other, KeyStoreError::AnotherKey { .. }), "{other}");
}

fn holds(certified: &Certified, by: &TpmtPublic) -> bool {
    let (signature, rest) = TpmtSignature::unmarshal(&certified.signature).unwrap();
    assert!(rest.is_empty());
    let (TpmuSignature::Ecdsa(pair), TpmuPublicId::Ecc(point)) = (signature.signature, &by.unique)
    else {
        panic!("P-256");
    };
    let mut spki = P256.to_vec();
    spki.extend(&point.x[..]);
    spki.extend(&point.y[..]);
    let der = der_signature(&pair.signature_r, &pair.signature_s);
    let key = PublicKey::from_spki_der(&spki).unwrap();
    key.verify(&certified.certify_info, &der).is_ok()
}

/// What a P-256 key begins with.
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 3, 0x42, 0, 4,
];

fn der_signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let start = number.iter().position(|byte| *byte != 0).unwrap();
        let mut bytes = number[start..].to_vec();
        if bytes[0] & 0x80 != 0 {
            bytes.insert(0, 0);
        }
        [&[2, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &both[..]].concat()
}

/// How many sessions were left open.
pub fn sessions(tpm: &Swtpm) -> usize {
    let list = [
        0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 64,
    ];
    (tpm.raw(&list).len() - 19) / 4
}

/// The tools of the tpm2-software community, at a TPM.
struct Tools {
    socket: String,
    directory: tempfile::TempDir,
}

impl Tools {
    fn new(tpm: &Swtpm) -> Self {
        let socket = tpm.key_store().replacen("tpm:swtpm=", "", 1);
        Self {
            socket,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, tool: &str, arguments: &[&str]) {
        let done = Command::new(tool)
            .args(arguments)
            .env("TPM2TOOLS_TCTI", format!("swtpm:path={}", self.socket))
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{tool}: {words}");
    }

    /// `TPM2B_ID_OBJECT` and `TPM2B_ENCRYPTED_SECRET` over `secret`, for which it takes the keys' public halves alone.
    fn make_credential(&self, ek: &[u8], ak: &[u8], secret: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let file = |name: &str| self.directory.path().join(name);
        let sized = |public: &[u8]| {
            let size = u16::try_from(public.len()).unwrap().to_be_bytes();
            [&size[..], public].concat()
        };
        std::fs::write(file("ek"), sized(ek)).unwrap();
        std::fs::write(file("secret"), secret).unwrap();
        // SHA-256, before which stands that it is that.
        let name: String = [0, 0x0b]
            .iter()
            .chain(enlist_core::Digest::of(ak).as_bytes())
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.run(
            "tpm2_makecredential",
            &["-u", "ek", "-s", "secret", "-n", &name, "-o", "out"],
        );
        let out = std::fs::read(file("out")).unwrap();
        // A magic number and a version come first.
        let blob = &out[8..];
        let length = 2 + usize::from(u16::from_be_bytes([blob[0], blob[1]]));
        (blob[..length].to_vec(), blob[length..].to_vec())
    }
}
