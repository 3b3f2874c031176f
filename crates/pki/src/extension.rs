//! The extensions our certificates carry (RFC 5280 section 4.2), each with the
//! criticality that RFC gives it.

use der::asn1::{AnyRef, OctetStringRef};
use der::flagset::FlagSet;
use der::{Encode, Tag, TagNumber};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::encode::{self, EncodeError};
use crate::oid::{self, Oid};
use crate::subject::{self, SubjectName};

/// What a certified key may do (keyUsage).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// Sign what it says itself: handshakes, receipts.
    DigitalSignature,
    /// Sign certificates.
    CertificateSigning,
    /// Sign revocation lists.
    CrlSigning,
}

/// What a certified key is for (extKeyUsage).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Being a TLS server.
    ServerAuth,
    /// Being a TLS client.
    ClientAuth,
    /// Signing OCSP answers for its issuer.
    OcspSigning,
    /// Being the endorsement key of a TPM (TCG EK Credential Profile, section 3.2).
    TpmEndorsement,
    /// Whatever a key can be used for (RFC 5280 section 4.2.1.12).
    Any,
}

impl KeyPurpose {
    pub(crate) fn oid(self) -> Oid {
        match self {
            Self::ServerAuth => oid::SERVER_AUTH,
            Self::ClientAuth => oid::CLIENT_AUTH,
            Self::OcspSigning => oid::OCSP_SIGNING,
            Self::TpmEndorsement => oid::TPM_ENDORSEMENT,
            Self::Any => oid::ANY_PURPOSE,
        }
    }
}

/// One extension, encoded: a part to build certificates from, made once and used often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension(Box<[u8]>);

impl Extension {
    /// The DER `Extension`.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// basicConstraints of a CA under which `path_len` further CAs may stand; critical.
    /// What is no CA carries none.
    ///
    /// # Errors
    /// None that is known; encoding is fallible by its type.
    pub fn certificate_authority(path_len: Option<u8>) -> Result<Self, EncodeError> {
        let value = BasicConstraints {
            ca: true,
            path_len_constraint: path_len,
        };
        Self::encode(oid::BASIC_CONSTRAINTS, true, &value.to_der()?)
    }

    /// keyUsage; critical.
    ///
    /// # Errors
    /// None that is known.
    pub fn key_usage(uses: &[KeyUse]) -> Result<Self, EncodeError> {
        let mut set: FlagSet<KeyUsages> = FlagSet::default();
        for key_use in uses {
            set |= match key_use {
                KeyUse::DigitalSignature => KeyUsages::DigitalSignature,
                KeyUse::CertificateSigning => KeyUsages::KeyCertSign,
                KeyUse::CrlSigning => KeyUsages::CRLSign,
            };
        }
        Self::encode(oid::KEY_USAGE, true, &KeyUsage(set).to_der()?)
    }

    /// extKeyUsage.
    ///
    /// # Errors
    /// None that is known.
    pub fn key_purposes(purposes: &[KeyPurpose]) -> Result<Self, EncodeError> {
        let purposes = purposes.iter().map(|purpose| purpose.oid()).collect();
        let value = ExtendedKeyUsage(purposes).to_der()?;
        Self::encode(oid::EXTENDED_KEY_USAGE, false, &value)
    }

    /// subjectAltName; not critical, as the subject is never empty with us.
    ///
    /// # Errors
    /// A name is empty or not ASCII.
    pub fn subject_names(names: &[SubjectName]) -> Result<Self, EncodeError> {
        Self::encode(oid::SUBJECT_ALT_NAME, false, &subject::write(names)?)
    }

    /// subjectKeyIdentifier, from [`crate::PublicKey::key_id`].
    ///
    /// # Errors
    /// None that is known.
    pub fn subject_key_id(key_id: &[u8]) -> Result<Self, EncodeError> {
        let value = OctetStringRef::new(key_id)?.to_der()?;
        Self::encode(oid::SUBJECT_KEY_ID, false, &value)
    }

    /// authorityKeyIdentifier: the issuer's subjectKeyIdentifier.
    ///
    /// # Errors
    /// None that is known.
    pub fn authority_key_id(key_id: &[u8]) -> Result<Self, EncodeError> {
        let tag = Tag::ContextSpecific {
            constructed: false,
            number: TagNumber(0),
        };
        let id = encode::wrap(tag, &[key_id])?;
        let value = encode::sequence(&[&id])?;
        Self::encode(oid::AUTHORITY_KEY_ID, false, &value)
    }

    /// certificatePolicies.
    ///
    /// # Errors
    /// None that is known.
    pub fn policies(policies: &[Oid]) -> Result<Self, EncodeError> {
        let mut all = Vec::new();
        for policy in policies {
            all.extend(encode::sequence(&[&policy.to_der()?])?);
        }
        Self::encode(
            oid::CERTIFICATE_POLICIES,
            false,
            &encode::sequence(&[&all])?,
        )
    }

    /// cRLDistributionPoints: where the issuer's revocation list is to be had.
    ///
    /// # Errors
    /// The URL is empty or not ASCII.
    pub fn crl_url(url: &str) -> Result<Self, EncodeError> {
        let names = encode::context(0, &[&subject::ascii(6, url)?])?;
        let point = encode::sequence(&[&encode::context(0, &[&names])?])?;
        Self::encode(
            oid::CRL_DISTRIBUTION_POINTS,
            false,
            &encode::sequence(&[&point])?,
        )
    }

    /// authorityInfoAccess: where the issuer's OCSP responder is, and where its certificate
    /// is to be had.
    ///
    /// # Errors
    /// A URL is empty or not ASCII.
    pub fn issuer_urls(ocsp: &str, certificate: &str) -> Result<Self, EncodeError> {
        let ocsp = encode::sequence(&[&oid::OCSP.to_der()?, &subject::ascii(6, ocsp)?])?;
        let issuers = [&oid::CA_ISSUERS.to_der()?, &subject::ascii(6, certificate)?];
        let issuers = encode::sequence(&issuers.map(Vec::as_slice))?;
        let value = encode::sequence(&[&ocsp, &issuers])?;
        Self::encode(oid::AUTHORITY_INFO_ACCESS, false, &value)
    }

    /// id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1): nobody need ask whether this
    /// certificate of an OCSP responder is revoked, as it is short-lived.
    ///
    /// # Errors
    /// None that is known.
    pub fn ocsp_nocheck() -> Result<Self, EncodeError> {
        Self::encode(oid::OCSP_NOCHECK, false, &AnyRef::NULL.to_der()?)
    }

    /// The nonce of an OCSP request or response (RFC 9654).
    pub(crate) fn ocsp_nonce(nonce: &[u8]) -> Result<Self, EncodeError> {
        let value = OctetStringRef::new(nonce)?.to_der()?;
        Self::encode(oid::OCSP_NONCE, false, &value)
    }

    /// cRLNumber.
    pub(crate) fn crl_number(number: u64) -> Result<Self, EncodeError> {
        Self::encode(oid::CRL_NUMBER, false, &number.to_der()?)
    }

    /// issuingDistributionPoint; critical: the list covers those certificates alone that
    /// point to this URL.
    pub(crate) fn issuing_distribution_point(url: &str) -> Result<Self, EncodeError> {
        let name = encode::context(0, &[&subject::ascii(6, url)?])?;
        let value = encode::sequence(&[&encode::context(0, &[&name])?])?;
        Self::encode(oid::ISSUING_DISTRIBUTION_POINT, true, &value)
    }

    fn encode(oid: Oid, critical: bool, value: &[u8]) -> Result<Self, EncodeError> {
        let oid = oid.to_der()?;
        let value = OctetStringRef::new(value)?.to_der()?;
        // DER leaves out a field that has its default value.
        let parts: &[&[u8]] = if critical {
            &[&oid, &CRITICAL, &value]
        } else {
            &[&oid, &value]
        };
        Ok(Self(encode::sequence(parts)?.into()))
    }
}

/// BOOLEAN TRUE.
const CRITICAL: [u8; 3] = [0x01, 0x01, 0xff];
