//! OCSP requests.

use std::sync::LazyLock;

use der::Decode as _;
use der::asn1::AnyRef;
use enlist_keys::FileKey;
use enlist_pki::ocsp::{MAX_OCSP_CERTS, MAX_OCSP_REQUEST_LEN};
use enlist_pki::{
    CertStatus, Certificate, KeyKind, OcspAnswer, OcspRequest, SingleAnswer, sign_ocsp,
};

const NOW: i64 = 1_800_000_000;

static RESPONDER: LazyLock<Certificate> = LazyLock::new(|| {
    Certificate::from_pem(include_str!("../fixtures/issued.pem")).expect("it is a certificate")
});

static KEY: LazyLock<FileKey> =
    LazyLock::new(|| FileKey::generate(KeyKind::P256).expect("a key can be made"));

/// Reads an OCSP request. One that is taken is bounded, stays the same when it is written again, and
/// can be answered.
///
/// # Panics
/// When it is not, does not, or can't.
pub fn ocsp_request(data: &[u8]) -> bool {
    let Ok(request) = OcspRequest::from_der(data) else {
        return false;
    };
    assert!(data.len() <= MAX_OCSP_REQUEST_LEN);
    assert!((1..=MAX_OCSP_CERTS).contains(&request.certs.len()));
    let nonce = request.nonce.as_deref();
    assert!(nonce.is_none_or(|nonce| (1..=128).contains(&nonce.len())));

    let written = request.to_der().expect("what was read can be written");
    let again = OcspRequest::from_der(&written).expect("what was written can be read");
    assert_eq!(again, request);

    let answers: Vec<_> = request
        .certs
        .iter()
        .map(|id| SingleAnswer {
            id,
            status: CertStatus::Unknown,
            this_update: NOW,
            next_update: NOW + 600,
        })
        .collect();
    let answer = OcspAnswer {
        answers: &answers,
        nonce,
        produced_at: NOW,
        responder: &RESPONDER,
    };
    let answer = sign_ocsp(&answer, &*KEY).expect("what was asked can be answered");
    AnyRef::from_der(&answer).expect("the answer is one DER value");
    for id in &request.certs {
        assert!(contains(&answer, id.der()), "what was asked stands in it");
    }
    assert!(
        nonce.is_none_or(|nonce| contains(&answer, nonce)),
        "the nonce is given back"
    );
    true
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}
