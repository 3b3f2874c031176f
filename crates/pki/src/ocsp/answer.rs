//! What is answered (RFC 6960 section 4.2).

use der::asn1::{AnyRef, OctetStringRef};
use der::{Encode, Tag, TagNumber};

use super::{CertId, DigestKind};
use crate::algorithm::SignatureScheme;
use crate::certificate::Certificate;
use crate::crl::CrlReason;
use crate::encode::{self, EncodeError};
use crate::extension::Extension;
use crate::issue::IssueError;
use crate::oid;
use crate::signer::Signer;
use crate::time;

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertStatus {
    /// Issued, and not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked {
        /// Since when (unix seconds).
        at: i64,
        /// Why, if that is said.
        reason: Option<CrlReason>,
    },
    /// Not issued by this CA.
    Unknown,
}

/// The answer about one certificate.
#[derive(Debug, Clone, Copy)]
pub struct SingleAnswer<'a> {
    /// Which it is, as it was asked.
    pub id: &'a CertId,
    /// How it stands.
    pub status: CertStatus,
    /// When this was so (unix seconds).
    pub this_update: i64,
    /// Until when to rely on it (unix seconds).
    pub next_update: i64,
}

/// The answer to one request.
#[derive(Debug, Clone, Copy)]
pub struct OcspAnswer<'a> {
    /// About each certificate that was asked about.
    pub answers: &'a [SingleAnswer<'a>],
    /// The nonce of the request.
    pub nonce: Option<&'a [u8]>,
    /// When it is signed (unix seconds).
    pub produced_at: i64,
    /// The certificate of the key that signs, for OCSP signing: it goes along.
    pub responder: &'a Certificate,
}

/// Signs an answer with the responder's key; returns the DER of the whole `OCSPResponse`.
///
/// # Errors
/// A time does not fit into X.509, or the key could not sign.
pub fn sign_ocsp(answer: &OcspAnswer<'_>, signer: &dyn Signer) -> Result<Vec<u8>, IssueError> {
    let body = body(answer, signer)?;
    let signature = signer.sign(&body).map_err(IssueError::Sign)?;
    let der = seal(&body, &signature, answer.responder, signer).map_err(EncodeError::from)?;
    Ok(der)
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspError {
    /// The request does not read.
    MalformedRequest,
    /// Something is wrong here.
    InternalError,
    /// Something is wrong here, and may soon not be.
    TryLater,
    /// It is about certificates of somebody else.
    Unauthorized,
}

/// The DER `OCSPResponse` that says why there is no answer; nobody signs it.
pub fn ocsp_error(error: OcspError) -> Vec<u8> {
    let status = match error {
        OcspError::MalformedRequest => 1,
        OcspError::InternalError => 2,
        OcspError::TryLater => 3,
        OcspError::Unauthorized => 6,
    };
    // One ENUMERATED in a SEQUENCE.
    vec![0x30, 3, 0x0a, 1, status]
}

/// A `ResponseData`; the responder is named by its key.
fn body(answer: &OcspAnswer<'_>, signer: &dyn Signer) -> Result<Vec<u8>, EncodeError> {
    let key_hash = DigestKind::Sha1.digest(signer.public_key().bits());
    let key_hash = OctetStringRef::new(&key_hash)?.to_der()?;
    let mut answers = Vec::with_capacity(answer.answers.len() * 128);
    for one in answer.answers {
        answers.extend(single(one)?);
    }
    let mut extensions = Vec::new();
    if let Some(nonce) = answer.nonce {
        let nonce = Extension::ocsp_nonce(nonce)?;
        extensions = encode::context(1, &[&encode::sequence(&[nonce.der()])?])?;
    }
    Ok(encode::sequence(&[
        &encode::context(2, &[&key_hash])?,
        &time::generalized(answer.produced_at)?,
        &encode::sequence(&[&answers])?,
        &extensions,
    ])?)
}

/// A `SingleResponse`.
fn single(answer: &SingleAnswer<'_>) -> der::Result<Vec<u8>> {
    let next_update = time::generalized(answer.next_update)?;
    encode::sequence(&[
        answer.id.der(),
        &status(answer.status)?,
        &time::generalized(answer.this_update)?,
        &encode::context(0, &[&next_update])?,
    ])
}

/// A `CertStatus`.
fn status(status: CertStatus) -> der::Result<Vec<u8>> {
    let nothing = |number| {
        let tag = Tag::ContextSpecific {
            constructed: false,
            number: TagNumber(number),
        };
        encode::wrap(tag, &[])
    };
    match status {
        CertStatus::Good => nothing(0),
        CertStatus::Unknown => nothing(2),
        CertStatus::Revoked { at, reason } => {
            let at = time::generalized(at)?;
            let reason = match reason {
                Some(reason) => {
                    let code = [reason.code()];
                    let code = AnyRef::new(Tag::Enumerated, &code)?.to_der()?;
                    encode::context(0, &[&code])?
                }
                None => Vec::new(),
            };
            encode::context(1, &[&at, &reason])
        }
    }
}

/// The envelopes: a `BasicOCSPResponse` in an `OCSPResponse`.
fn seal(
    body: &[u8],
    signature: &[u8],
    responder: &Certificate,
    signer: &dyn Signer,
) -> der::Result<Vec<u8>> {
    let algorithm = SignatureScheme::identifier(signer.public_key().kind()).to_der()?;
    let certificates = encode::sequence(&[responder.der()])?;
    let basic = encode::sequence(&[
        body,
        &algorithm,
        &encode::bit_string(signature)?,
        &encode::context(0, &[&certificates])?,
    ])?;
    let bytes = encode::sequence(&[
        &oid::OCSP_BASIC.to_der()?,
        &OctetStringRef::new(&basic)?.to_der()?,
    ])?;
    encode::sequence(&[&SUCCESSFUL, &encode::context(0, &[&bytes])?])
}

/// ENUMERATED 0.
const SUCCESSFUL: [u8; 3] = [0x0a, 1, 0];
