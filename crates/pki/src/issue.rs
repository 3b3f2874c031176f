//! Putting a certificate together and signing it (RFC 5280 section 4.1).

use der::Encode;
use der::asn1::UintRef;

use crate::algorithm::SignatureScheme;
use crate::certificate::{Certificate, CertificateError};
use crate::encode::{self, EncodeError};
use crate::extension::Extension;
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::signed::{self, SealError};
use crate::signer::{SignError, Signer};
use crate::time;

/// What a certificate is to say. Nothing is added and nothing checked for sense: that is
/// the business of `enlist-ca`.
#[derive(Debug, Clone, Copy)]
pub struct CertificateSpec<'a> {
    /// A positive number, big-endian, at most 20 octets encoded; leading zeros do not matter.
    pub serial: &'a [u8],
    /// Who signs: the subject of its certificate.
    pub issuer: &'a DistinguishedName,
    /// Who is certified.
    pub subject: &'a DistinguishedName,
    /// Its key.
    pub public_key: &'a PublicKey,
    /// Valid from this second.
    pub not_before: i64,
    /// Valid to the end of this second.
    pub not_after: i64,
    /// In this order.
    pub extensions: &'a [&'a Extension],
}

/// Signs a version 3 certificate with `issuer`'s key.
///
/// # Errors
/// Something in it is not encodable, or the key could not sign.
pub fn sign_certificate(
    spec: &CertificateSpec<'_>,
    issuer: &dyn Signer,
) -> Result<Certificate, IssueError> {
    let serial = serial(spec.serial).ok_or(IssueError::Serial)?;
    let body = body(spec, serial, issuer).map_err(EncodeError::from)?;
    let der = signed::sign(&body, issuer)?;
    // Reading it back costs a few microseconds and proves that others can.
    Certificate::from_der(&der).map_err(IssueError::Unreadable)
}

/// A certificate, or a statement about one, could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Something it should say does not fit into X.509.
    #[error("the certificate or its status cannot be encoded")]
    Encode(#[from] EncodeError),
    /// The serial number is zero or takes more than 20 octets (RFC 5280 section 4.1.2.2).
    #[error("a serial number is positive and of 20 octets at most")]
    Serial,
    /// The issuer's key failed.
    #[error("the certificate or its status could not be signed")]
    Sign(#[source] SignError),
    /// What was built does not read back: two extensions of one kind, say.
    #[error("the certificate does not read back")]
    Unreadable(#[source] CertificateError),
}

impl From<SealError> for IssueError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Encode(source) => Self::Encode(source.into()),
            SealError::Sign(source) => Self::Sign(source),
        }
    }
}

/// The number without leading zeros; `None` where it is out of bounds.
fn serial(given: &[u8]) -> Option<&[u8]> {
    let first = given.iter().position(|byte| *byte != 0)?;
    let serial = &given[first..];
    // A set high bit costs an octet more, to stay positive.
    let encoded = serial.len() + usize::from(serial[0] >> 7);
    (encoded <= 20).then_some(serial)
}

fn body(spec: &CertificateSpec<'_>, serial: &[u8], issuer: &dyn Signer) -> der::Result<Vec<u8>> {
    let extensions: Vec<&[u8]> = spec.extensions.iter().map(|one| one.der()).collect();
    let extensions = encode::sequence(&extensions)?;
    encode::sequence(&[
        &VERSION_3,
        &UintRef::new(serial)?.to_der()?,
        &SignatureScheme::identifier(issuer.public_key().kind()).to_der()?,
        spec.issuer.der(),
        &time::validity(spec.not_before, spec.not_after)?,
        spec.subject.der(),
        spec.public_key.spki_der(),
        &encode::context(3, &[&extensions])?,
    ])
}

/// `[0] EXPLICIT INTEGER 2`.
const VERSION_3: [u8; 5] = [0xa0, 0x03, 0x02, 0x01, 0x02];
