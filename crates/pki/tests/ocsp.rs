//! OCSP asked and answered, with OpenSSL on the other side.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Ca, TestKey, openssl, openssl_ok, text};
use enlist_pki::ocsp::{MAX_OCSP_CERTS, MAX_OCSP_REQUEST_LEN};
use enlist_pki::{
    CertId, CertStatus, Certificate, CrlReason, DigestKind, Extension, IssuerHash, KeyPurpose,
    KeyUse, OcspAnswer, OcspError, OcspRequest, OcspRequestError, Signer, SingleAnswer, ocsp_error,
    sign_ocsp,
};
use proptest::prelude::*;
use tempfile::TempDir;

const NOW: i64 = 1_800_000_000;

/// A CA, a responder that answers for it, and a directory that OpenSSL finds both in.
struct Rig {
    ca: Ca,
    responder_key: TestKey,
    responder: Certificate,
    dir: TempDir,
}

impl Rig {
    fn new() -> Self {
        let (ca, responder_key) = (Ca::new(), TestKey::new());
        let extensions = [
            &Extension::key_usage(&[KeyUse::DigitalSignature]).unwrap(),
            &Extension::key_purposes(&[KeyPurpose::OcspSigning]).unwrap(),
            &Extension::ocsp_nocheck().unwrap(),
        ];
        let responder = ca.certify(&responder_key, &[9], &extensions);
        let rig = Self {
            ca,
            responder_key,
            responder,
            dir: TempDir::new().unwrap(),
        };
        rig.write("ca.pem", rig.ca.certificate.to_pem().as_bytes());
        rig
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    fn leaf(&self, name: &str, serial: &[u8]) -> Certificate {
        let leaf = self.ca.certify(&TestKey::new(), serial, &[]);
        self.write(name, leaf.to_pem().as_bytes());
        leaf
    }

    fn issuer(&self, kind: DigestKind) -> IssuerHash {
        IssuerHash::of(kind, &self.ca.name, self.ca.key.public_key())
    }

    /// What OpenSSL asks with these arguments.
    fn asked(&self, arguments: &str) -> OcspRequest {
        let ask = format!("ocsp -issuer ca.pem {arguments} -reqout asked");
        openssl_ok(self.dir.path(), &ask);
        let der = std::fs::read(self.dir.path().join("asked")).unwrap();
        let request = OcspRequest::from_der(&der).unwrap();
        // What we read is all there was.
        assert_eq!(request.to_der().unwrap(), der);
        request
    }

    fn answer(&self, request: &OcspRequest, status: impl Fn(&CertId) -> CertStatus) -> Vec<u8> {
        let single = |id| SingleAnswer {
            id,
            status: status(id),
            this_update: NOW,
            next_update: NOW + 600,
        };
        let answers: Vec<_> = request.certs.iter().map(single).collect();
        let answer = OcspAnswer {
            answers: &answers,
            nonce: request.nonce.as_deref(),
            produced_at: NOW,
            responder: &self.responder,
        };
        sign_ocsp(&answer, &self.responder_key).unwrap()
    }

    /// What OpenSSL makes of an answer about these certificates, and whether that has the nonce
    /// of what it asked last.
    fn said(&self, answer: &[u8], arguments: &str) -> String {
        self.write("answer", answer);
        // It takes either a request or certificates.
        let hear = "ocsp -reqin asked -respin answer -CAfile ca.pem";
        let nonce = text(openssl(self.dir.path(), hear).stderr);
        assert!(!nonce.contains("Nonce Verify error"), "{nonce}");
        let hear = format!(
            "ocsp -no_nonce -issuer ca.pem {arguments} -respin answer -CAfile ca.pem -validity_period 4000000000"
        );
        let output = openssl(self.dir.path(), &hear);
        text(output.stdout) + &text(output.stderr)
    }
}

#[test]
fn openssl_hears_good_revoked_held_and_unknown() {
    let rig = Rig::new();
    for (file, serial) in [
        ("good", 0x81),
        ("bad", 0x82),
        ("held", 0x83),
        ("none", 0x84),
    ] {
        rig.leaf(file, &[serial; 16]);
    }
    let certs = "-cert good -cert bad -cert held -cert none";
    let request = rig.asked(certs);
    assert_eq!(request.certs.len(), 4);
    assert!(request.nonce.is_some());
    let answer = rig.answer(&request, |id| {
        assert!(id.is_of(&rig.ca.name, rig.ca.key.public_key()));
        let revoked = |reason| CertStatus::Revoked {
            at: NOW - 60,
            reason,
        };
        match id.serial()[0] {
            0x81 => CertStatus::Good,
            0x82 => revoked(None),
            0x83 => revoked(Some(CrlReason::CertificateHold)),
            _ => CertStatus::Unknown,
        }
    });
    let said = rig.said(&answer, certs);
    for expected in [
        "Response verify OK",
        "good: good",
        "bad: revoked",
        "held: revoked",
        "Reason: certificateHold",
        "none: unknown",
        "Revocation Time: Jan 15 07:59:00 2027 GMT",
        "Next Update: Jan 15 08:10:00 2027 GMT",
    ] {
        assert!(said.contains(expected), "{expected} not in {said}");
    }
    assert!(
        !said.contains("WARNING") && !said.contains("rror"),
        "{said}"
    );
    let shown = rig.said(&answer, &format!("{certs} -resp_text"));
    for expected in [
        "OCSP Nonce",
        "OCSP No Check",
        "Responder Id: ",
        "Hash Algorithm: sha1",
    ] {
        assert!(shown.contains(expected), "{expected} not in {shown}");
    }
}

#[test]
fn every_digest_names_the_issuer() {
    let rig = Rig::new();
    rig.leaf("leaf", &[0x81; 16]);
    let names = IssuerHash::all(&rig.ca.name, rig.ca.key.public_key());
    for (kind, option) in DigestKind::ALL
        .into_iter()
        .zip(["sha1", "sha256", "sha384", "sha512"])
    {
        let arguments = format!("-{option} -cert leaf -no_nonce");
        let request = rig.asked(&arguments);
        let [id] = &request.certs[..] else {
            panic!("{request:?}");
        };
        assert_eq!(id.issuer(), Some(&rig.issuer(kind)));
        assert!(names.contains(id.issuer().unwrap()));
        assert_eq!(*id, CertId::new(&rig.issuer(kind), &[0x81; 16]).unwrap());
        assert!(request.nonce.is_none());
        let answer = rig.answer(&request, |_| CertStatus::Good);
        let said = rig.said(&answer, &arguments);
        assert!(said.contains("leaf: good"), "{said}");
    }
}

#[test]
fn an_unknown_digest_names_nobody() {
    let rig = Rig::new();
    rig.leaf("leaf", &[0x81; 16]);
    for option in ["md5", "sha224", "sha3-256"] {
        let request = rig.asked(&format!("-{option} -cert leaf"));
        assert_eq!(request.certs[0].issuer(), None);
        assert!(!request.certs[0].is_of(&rig.ca.name, rig.ca.key.public_key()));
        assert_eq!(request.certs[0].serial(), [0x81; 16]);
    }
}

#[test]
fn a_strangers_certificate_is_not_ours() {
    let (rig, stranger) = (Rig::new(), Rig::new());
    // Of the same name, with another key.
    stranger.leaf("leaf", &[0x81; 16]);
    let request = stranger.asked("-cert leaf");
    assert!(!request.certs[0].is_of(&rig.ca.name, rig.ca.key.public_key()));
    let answer = rig.answer(&request, |_| CertStatus::Good);
    let said = stranger.said(&answer, "-cert leaf");
    assert!(said.contains("Response Verify Failure"), "{said}");
}

#[test]
fn a_signed_request_is_read_as_if_it_were_not() {
    let rig = Rig::new();
    rig.leaf("leaf", &[0x81; 16]);
    openssl_ok(
        rig.dir.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout key -subj /CN=client -out client",
    );
    openssl_ok(
        rig.dir.path(),
        "ocsp -issuer ca.pem -cert leaf -signer client -signkey key -reqout signed",
    );
    let der = std::fs::read(rig.dir.path().join("signed")).unwrap();
    let request = OcspRequest::from_der(&der).unwrap();
    assert_eq!(request.certs.len(), 1);
    assert_eq!(request.certs[0].serial(), [0x81; 16]);
}

#[test]
fn openssl_reads_every_refusal() {
    let rig = Rig::new();
    for (error, expected) in [
        (OcspError::MalformedRequest, "malformedrequest (1)"),
        (OcspError::InternalError, "internalerror (2)"),
        (OcspError::TryLater, "trylater (3)"),
        (OcspError::Unauthorized, "unauthorized (6)"),
    ] {
        rig.write("answer", &ocsp_error(error));
        let output = openssl(rig.dir.path(), "ocsp -respin answer -resp_text -noverify");
        let said = text(output.stdout) + &text(output.stderr);
        assert!(said.contains(expected), "{expected} not in {said}");
    }
}

fn request(certs: usize, nonce: Option<Vec<u8>>) -> Vec<u8> {
    let ca = Ca::new();
    let issuer = IssuerHash::of(DigestKind::Sha1, &ca.name, ca.key.public_key());
    let certs = (1..=certs)
        .map(|number| CertId::new(&issuer, &number.to_be_bytes()).unwrap())
        .collect();
    OcspRequest { certs, nonce }.to_der().unwrap()
}

#[test]
fn a_request_has_its_bounds() {
    let read = |certs, nonce| OcspRequest::from_der(&request(certs, nonce));
    assert_eq!(read(MAX_OCSP_CERTS, None).unwrap().certs.len(), 32);
    assert!(matches!(read(0, None), Err(OcspRequestError::Empty)));
    assert!(matches!(read(33, None), Err(OcspRequestError::TooMany)));
    assert!(matches!(
        read(10_000, None),
        Err(OcspRequestError::TooLarge(_))
    ));
    for len in [1, 32, 128] {
        let nonce = read(1, Some(vec![7; len])).unwrap().nonce;
        assert_eq!(nonce, Some(vec![7; len]));
    }
    for len in [0, 129] {
        assert!(matches!(
            read(1, Some(vec![7; len])),
            Err(OcspRequestError::Nonce)
        ));
    }
    let large = vec![0x30; MAX_OCSP_REQUEST_LEN + 1];
    assert!(matches!(
        OcspRequest::from_der(&large),
        Err(OcspRequestError::TooLarge(_))
    ));
}

/// One element around others, all of them short.
fn short(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

#[test]
fn what_a_request_says_twice_or_insists_on_is_refused() {
    let nonce = |critical: &[u8]| {
        let id = [0x06, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
        short(0x30, &[&id, critical, &[4, 3, 4, 1, 7]])
    };
    let other = |critical: &[u8]| short(0x30, &[&[0x06, 2, 0x2a, 3], critical, &[4, 0]]);
    let critical = [1, 1, 0xff];
    let ask = |version: &[u8], extensions: &[&[u8]]| {
        let issuer = short(0x30, &[&[0x06, 5, 0x2b, 14, 3, 2, 0x1a]]);
        let id = short(0x30, &[&issuer, &[4, 0], &[4, 0], &[2, 1, 1]]);
        let list = short(0x30, &[&short(0x30, &[&id])]);
        let extensions = short(0xa2, &[&short(0x30, extensions)]);
        let body = short(0x30, &[version, &list, &extensions]);
        OcspRequest::from_der(&short(0x30, &[&body]))
    };
    assert_eq!(ask(&[], &[&nonce(&[])]).unwrap().nonce, Some(vec![7]));
    ask(&[], &[&nonce(&critical), &other(&[])]).unwrap();
    assert!(matches!(
        ask(&[], &[&nonce(&[]), &nonce(&[])]),
        Err(OcspRequestError::RepeatedExtension)
    ));
    assert!(matches!(
        ask(&[], &[&other(&critical)]),
        Err(OcspRequestError::CriticalExtension)
    ));
    assert!(matches!(
        ask(&[0xa0, 3, 2, 1, 1], &[&nonce(&[])]),
        Err(OcspRequestError::Version)
    ));
}

#[test]
fn every_truncation_and_any_trailing_byte_is_refused() {
    let der = request(2, Some(vec![7; 16]));
    for len in 0..der.len() {
        assert!(OcspRequest::from_der(&der[..len]).is_err(), "{len}");
    }
    assert!(OcspRequest::from_der(&[&der[..], &[0]].concat()).is_err());
}

#[test]
fn a_time_outside_x509_is_nothing_to_sign() {
    let rig = Rig::new();
    let answer = OcspAnswer {
        answers: &[],
        nonce: None,
        produced_at: -1,
        responder: &rig.responder,
    };
    assert!(sign_ocsp(&answer, &rig.responder_key).is_err());
}

proptest! {
    /// A request is not signed: a changed one is another one, or none.
    #[test]
    fn a_changed_request_is_answered_without_a_panic(at in 0usize..1000, flip in 1u8..) {
        let mut der = request(2, Some(vec![7; 16]));
        let at = at % der.len();
        der[at] ^= flip;
        if let Ok(read) = OcspRequest::from_der(&der) {
            prop_assert!(read.certs.len() <= 2);
            prop_assert!(read.to_der().unwrap().len() <= der.len());
        }
    }

    #[test]
    fn any_bytes_at_all_are_answered_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(OcspRequest::from_der(&bytes).is_err());
    }
}
