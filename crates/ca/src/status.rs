//! What a CA says of certificates it issued: revocation lists, and who may answer for it.

use std::time::Duration;

use enlist_core::{Serial, Timestamp};
use enlist_pki::{
    Certificate, CrlSpec, Extension, KeyKind, KeyPurpose, KeyUse, PublicKey, sign_crl,
};

use crate::hierarchy::name;
use crate::validity::{DAY, Validity};
use crate::{Authority, IssueRefusal};

/// What an OCSP responder's key is to be.
pub const RESPONDER_KEY: KeyKind = KeyKind::P256;

/// How long an OCSP responder's certificate lasts: 24 hours.
pub const RESPONDER_LIFETIME: Duration = DAY;

/// What a revocation list is to say.
#[derive(Debug, Clone, Copy)]
pub struct CrlContent<'a> {
    /// Higher in each newer list of this CA and scope.
    pub number: u64,
    /// When this was the state of things, to the second.
    pub this_update: Timestamp,
    /// Until when there will be a newer list.
    pub next_update: Timestamp,
    /// Where the list covers but a part: the URL of that part.
    pub distribution_point: Option<&'a str>,
    /// Encoded entries: see [`enlist_pki::RevokedEntry::append_to`].
    pub entries_der: &'a [u8],
}

impl Authority {
    /// Signs a revocation list for this CA's certificates; returns its DER.
    ///
    /// # Errors
    /// The distribution point is no URL, or the key could not sign.
    pub fn sign_crl(&self, content: &CrlContent<'_>) -> Result<Vec<u8>, IssueRefusal> {
        let spec = CrlSpec {
            issuer: self.name(),
            authority_key_id: self.key_id(),
            number: content.number,
            this_update: content.this_update.as_secs(),
            next_update: content.next_update.as_secs(),
            distribution_point: content.distribution_point,
            entries_der: content.entries_der,
        };
        Ok(sign_crl(&spec, self.signer())?)
    }
}

/// Makes the certificate of an OCSP responder that answers for `authority` (RFC 6960 section
/// 4.2.2.2): [`RESPONDER_LIFETIME`], good for nothing else, and nobody asks whether it is
/// revoked.
///
/// # Errors
/// The CA has expired, or its key could not sign.
pub fn make_responder_certificate(
    authority: &Authority,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
) -> Result<Certificate, IssueRefusal> {
    let validity = Validity::under(Some(authority.certificate()), RESPONDER_LIFETIME, now)?;
    let subject = name("Enlist OCSP Responder", key, None)?;
    let extensions = [
        &Extension::key_usage(&[KeyUse::DigitalSignature])?,
        &Extension::key_purposes(&[KeyPurpose::OcspSigning])?,
        &Extension::ocsp_nocheck()?,
    ];
    authority.issue(serial, &subject, key, validity, &extensions)
}
