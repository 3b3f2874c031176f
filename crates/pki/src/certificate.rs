//! Certificates, read.

mod read;

use std::fmt;

use rustls_pki_types::CertificateDer;

use crate::extension::KeyPurpose;
use crate::key::{self, BadSignature, KeyError, PublicKey};
use crate::name::{self, DistinguishedName};
use crate::oid::Oid;
use crate::pem::{self, PemError};
use crate::signed::Signed;
use crate::subject::SubjectName;

/// A version 3 certificate in strict DER. That it reads says nothing about whether it is
/// to be believed: see [`crate::path`].
///
/// Two are equal when their bytes are.
#[derive(Clone)]
pub struct Certificate {
    der: Box<[u8]>,
    fields: read::Fields,
}

impl Certificate {
    /// Reads one certificate and nothing after it.
    ///
    /// # Errors
    /// Says where the bytes stop making sense.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Ok(Self {
            fields: read::fields(der)?,
            der: der.into(),
        })
    }

    /// Reads the first certificate in a PEM text.
    ///
    /// # Errors
    /// There is none, or it does not read.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        match pem::certificates(text)?.first() {
            Some(der) => Self::from_der(der),
            None => Err(CertificateError::NoneInPem),
        }
    }

    /// The certificate as one PEM block.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// The DER it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The same, as rustls wants it.
    pub fn to_rustls(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.der.to_vec())
    }

    /// SHA-256 of the DER: names the certificate wherever one is recorded.
    pub fn fingerprint(&self) -> [u8; 32] {
        key::sha256(&self.der)
    }

    /// The fingerprint in lowercase hexadecimal.
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint())
    }

    /// The serial number, big-endian, without leading zeros.
    pub fn serial(&self) -> &[u8] {
        &self.fields.serial
    }

    /// The serial number in lowercase hexadecimal, two digits an octet.
    pub fn serial_hex(&self) -> String {
        hex(self.serial())
    }

    /// Valid from this second (unix time).
    pub fn not_before(&self) -> i64 {
        self.fields.not_before
    }

    /// Valid to the end of this second (unix time).
    pub fn not_after(&self) -> i64 {
        self.fields.not_after
    }

    /// Whether `now` (unix seconds) lies within its validity.
    pub fn is_current(&self, now: i64) -> bool {
        (self.not_before()..=self.not_after()).contains(&now)
    }

    /// The DER `Name` of who issued it.
    pub fn issuer_der(&self) -> &[u8] {
        &self.fields.issuer
    }

    /// The DER `Name` of whom it certifies.
    pub fn subject_der(&self) -> &[u8] {
        &self.fields.subject
    }

    /// The subject, to name as the issuer of another certificate.
    pub fn subject(&self) -> DistinguishedName {
        DistinguishedName::from_encoded(self.subject_der())
    }

    /// Who issued it.
    pub fn issuer(&self) -> DistinguishedName {
        DistinguishedName::from_encoded(self.issuer_der())
    }

    /// The subject's first common name, if it has a readable one.
    pub fn common_name(&self) -> Option<String> {
        name::common_name(self.subject_der()).ok().flatten()
    }

    /// The certified key.
    ///
    /// # Errors
    /// The key is one we do not take; certificates from elsewhere may well hold such.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki_der(self.spki_der())
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki_der(&self) -> &[u8] {
        &self.fields.spki
    }

    /// The names of the subject (subjectAltName).
    pub fn names(&self) -> &[SubjectName] {
        &self.fields.names
    }

    /// The key identifier of who issued it, where it says so.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.fields.authority_key_id.as_deref()
    }

    /// The identifier of the certified key, where it says so.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.fields.subject_key_id.as_deref()
    }

    /// Whether it and `issuer` agree on the issuer's key, as far as they say.
    pub(crate) fn is_identified(&self, issuer: &Self) -> bool {
        match (self.authority_key_id(), issuer.subject_key_id()) {
            (Some(authority), Some(own)) => authority == own,
            _ => true,
        }
    }

    /// Whether `key` signed it; `None` where that is done in a way that does not fit the key.
    pub(crate) fn verify_signature(&self, key: &PublicKey) -> Option<Result<(), BadSignature>> {
        let (signed, _) = Signed::read(&self.der).ok()?;
        key.verify_as(&signed.algorithm, signed.body, signed.signature)
    }

    /// Whether it lists this certificate policy.
    pub fn has_policy(&self, policy: Oid) -> bool {
        self.fields
            .policies
            .iter()
            .any(|one| &**one == policy.as_bytes())
    }

    /// Whether it says that its key is for this purpose (extKeyUsage).
    pub fn has_purpose(&self, purpose: KeyPurpose) -> bool {
        self.fields
            .purposes
            .iter()
            .any(|one| &**one == purpose.oid().as_bytes())
    }

    /// Whether it says at all what its key is for (extKeyUsage).
    pub fn states_purposes(&self) -> bool {
        !self.fields.purposes.is_empty()
    }

    /// Whether it has a critical extension that this program does not look at, so that it must not be
    /// believed (RFC 5280 section 4.2). Name constraints are one.
    pub fn demands_more(&self) -> bool {
        self.fields.demands_more
    }

    /// Whether it is a CA's (basicConstraints).
    pub fn is_ca(&self) -> bool {
        self.fields.is_ca
    }

    /// How many CAs may stand below it, one under the other (pathLenConstraint); `None` is any number.
    pub fn path_len(&self) -> Option<u8> {
        self.fields.path_len
    }

    /// Whether its key may sign certificates and revocation lists (keyUsage); `None` where it does not
    /// say what that is for.
    pub fn signs_for_a_ca(&self) -> Option<bool> {
        let usage = self.fields.key_usage?;
        Some(usage.key_cert_sign() && usage.crl_sign())
    }

    /// Whether its key may sign certificates (keyUsage); `None` where it does not say what that is for.
    pub fn signs_certificates(&self) -> Option<bool> {
        Some(self.fields.key_usage?.key_cert_sign())
    }

    /// Whether its key may sign what is not a certificate or a list of them, as TLS needs it (keyUsage:
    /// digitalSignature); `None` where it does not say what that is for.
    pub fn signs(&self) -> Option<bool> {
        Some(self.fields.key_usage?.digital_signature())
    }

    /// Whether others may encrypt keys for its key or agree on some with it (keyUsage: keyEncipherment,
    /// keyAgreement); `None` where it does not say what that is for.
    pub fn takes_keys(&self) -> Option<bool> {
        let usage = self.fields.key_usage?;
        Some(usage.key_encipherment() || usage.key_agreement())
    }

    /// Whether it is a CA's that other CAs may stand under (no pathLenConstraint, or one above 0).
    pub fn certifies_cas(&self) -> bool {
        self.is_ca() && self.fields.path_len != Some(0)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial_hex())
            .field("common_name", &self.common_name())
            .finish_non_exhaustive()
    }
}

/// Every certificate in a PEM text, in its order; one at least.
///
/// # Errors
/// There is none, or one does not read.
pub fn chain_from_pem(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    let chain = pem::certificates(text)?
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err(CertificateError::NoneInPem);
    }
    Ok(chain)
}

/// Every certificate in DER, one after the other, in their order; none is no error.
///
/// # Errors
/// One does not read.
pub fn chain_from_der(mut der: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let mut chain = Vec::new();
    while !der.is_empty() {
        let (_, rest) = Signed::read(der)?;
        let (one, rest) = der.split_at(der.len() - rest.len());
        chain.push(Certificate::from_der(one)?);
        der = rest;
    }
    Ok(chain)
}

/// Bytes that are no certificate we can read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not strict DER of the right shape.
    #[error("the certificate is not well-formed DER")]
    Malformed(#[from] der::Error),
    /// Bytes after its end.
    #[error("the certificate is followed by other bytes")]
    TrailingBytes,
    /// Version 1 or 2, which say nothing of what they are for.
    #[error("the certificate is not of version 3")]
    Version,
    /// The algorithm inside the signature is not the one outside.
    #[error("the certificate names two different signature algorithms")]
    AlgorithmMismatch,
    /// The same extension twice.
    #[error("the certificate repeats an extension")]
    RepeatedExtension,
    /// The text is no PEM.
    #[error("the text is not readable PEM")]
    Pem(#[from] PemError),
    /// The text has no certificate in it.
    #[error("no certificate in the text: expected -----BEGIN CERTIFICATE-----")]
    NoneInPem,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
