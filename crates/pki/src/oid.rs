//! The object identifiers this program speaks of.

/// An object identifier.
pub type Oid = der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> Oid {
    Oid::new_unwrap(text)
}

/// The certificate policy that marks a CA as issuer of Enlist server certificates. An
/// agent takes a path to its installation's root only through CAs that carry it.
///
/// Arc 2.25 belongs to UUIDs (X.667); this is the number 202006337 below it, fixed for
/// good. It is kept under 2^28 because readers of X.509 need not take larger arcs (RFC 5280
/// appendix B).
pub const SERVER_POLICY_OID: Oid = oid("2.25.202006337");

/// The kinds of hardware that a device certificate may name (`hwType` of RFC 4108 section
/// 5): one number each below an arc of our own, 139621883 below 2.25, fixed for good.
/// `hwSerialNum` holds the value as UTF-8 text.
pub mod hardware {
    use super::{Oid, oid};

    /// The serial number of the board.
    pub const SERIAL: Oid = oid("2.25.139621883.1");
    /// The UUID of the board, in its lowercase text form.
    pub const UUID: Oid = oid("2.25.139621883.2");
    /// The id of the system on chip.
    pub const SOC: Oid = oid("2.25.139621883.3");
    /// A permanent MAC address, lowercase.
    pub const MAC: Oid = oid("2.25.139621883.4");
    /// The machine id of the operating system, hashed.
    pub const MACHINE: Oid = oid("2.25.139621883.5");
    /// Made once at random and kept, where there is nothing else.
    pub const RANDOM: Oid = oid("2.25.139621883.6");
    /// Named by the configuration.
    pub const NAMED: Oid = oid("2.25.139621883.7");
    /// The endorsement key of a TPM 2.0: SHA-256 of its `SubjectPublicKeyInfo`, hexadecimal.
    pub const TPM_EK: Oid = oid("2.25.139621883.8");
    /// A manufacturer's certificate: manufacturer and serial number.
    pub const IDEVID: Oid = oid("2.25.139621883.9");
}

pub(crate) const EC_PUBLIC_KEY: Oid = oid("1.2.840.10045.2.1");
pub(crate) const P256: Oid = oid("1.2.840.10045.3.1.7");
pub(crate) const P384: Oid = oid("1.3.132.0.34");
pub(crate) const ED25519: Oid = oid("1.3.101.112");
pub(crate) const RSA: Oid = oid("1.2.840.113549.1.1.1");
/// How some makers of TPMs name an RSA key that only decrypts (RFC 4055 section 4.1).
pub(crate) const RSA_OAEP: Oid = oid("1.2.840.113549.1.1.7");

pub(crate) const ECDSA_SHA256: Oid = oid("1.2.840.10045.4.3.2");
pub(crate) const ECDSA_SHA384: Oid = oid("1.2.840.10045.4.3.3");
pub(crate) const ECDSA_SHA512: Oid = oid("1.2.840.10045.4.3.4");
pub(crate) const RSA_SHA256: Oid = oid("1.2.840.113549.1.1.11");
pub(crate) const RSA_SHA384: Oid = oid("1.2.840.113549.1.1.12");
pub(crate) const RSA_SHA512: Oid = oid("1.2.840.113549.1.1.13");

pub(crate) const COMMON_NAME: Oid = oid("2.5.4.3");
pub(crate) const SERIAL_NUMBER: Oid = oid("2.5.4.5");
pub(crate) const ORGANIZATION: Oid = oid("2.5.4.10");

pub(crate) const EXTENSION_REQUEST: Oid = oid("1.2.840.113549.1.9.14");
/// `id-aa-decryptKeyID` and `id-aa-asymmDecryptKeyID` (RFC 7030 section 4.4.1).
pub(crate) const DECRYPT_KEY_ID: Oid = oid("1.2.840.113549.1.9.16.2.37");
pub(crate) const ASYMMETRIC_DECRYPT_KEY_ID: Oid = oid("1.2.840.113549.1.9.16.2.54");
/// Microsoft's `szOID_CERT_EXTENSIONS`, which some clients send in its place.
pub(crate) const MS_EXTENSION_REQUEST: Oid = oid("1.3.6.1.4.1.311.2.1.14");

/// subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
pub const SUBJECT_KEY_ID: Oid = oid("2.5.29.14");
/// keyUsage (RFC 5280 section 4.2.1.3).
pub const KEY_USAGE: Oid = oid("2.5.29.15");
/// subjectAltName (RFC 5280 section 4.2.1.6).
pub const SUBJECT_ALT_NAME: Oid = oid("2.5.29.17");
/// cRLNumber (RFC 5280 section 5.2.3).
pub const CRL_NUMBER: Oid = oid("2.5.29.20");
/// reasonCode of an entry in a revocation list (RFC 5280 section 5.3.1).
pub const CRL_REASON: Oid = oid("2.5.29.21");
/// issuingDistributionPoint (RFC 5280 section 5.2.5).
pub const ISSUING_DISTRIBUTION_POINT: Oid = oid("2.5.29.28");
/// basicConstraints (RFC 5280 section 4.2.1.9).
pub const BASIC_CONSTRAINTS: Oid = oid("2.5.29.19");
/// cRLDistributionPoints (RFC 5280 section 4.2.1.13).
pub const CRL_DISTRIBUTION_POINTS: Oid = oid("2.5.29.31");
/// certificatePolicies (RFC 5280 section 4.2.1.4).
pub const CERTIFICATE_POLICIES: Oid = oid("2.5.29.32");
/// authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
pub const AUTHORITY_KEY_ID: Oid = oid("2.5.29.35");
/// extKeyUsage (RFC 5280 section 4.2.1.12).
pub const EXTENDED_KEY_USAGE: Oid = oid("2.5.29.37");
/// authorityInfoAccess (RFC 5280 section 4.2.2.1).
pub const AUTHORITY_INFO_ACCESS: Oid = oid("1.3.6.1.5.5.7.1.1");

pub(crate) const OCSP: Oid = oid("1.3.6.1.5.5.7.48.1");
pub(crate) const SERVER_AUTH: Oid = oid("1.3.6.1.5.5.7.3.1");
pub(crate) const ANY_PURPOSE: Oid = oid("2.5.29.37.0");
pub(crate) const CLIENT_AUTH: Oid = oid("1.3.6.1.5.5.7.3.2");
pub(crate) const OCSP_SIGNING: Oid = oid("1.3.6.1.5.5.7.3.9");
pub(crate) const TPM_ENDORSEMENT: Oid = oid("2.23.133.8.1");
/// tpmManufacturer, tpmModel and tpmVersion (TCG EK Credential Profile, section 3.2).
pub(crate) const TPM_NAMES: [Oid; 3] = [
    oid("2.23.133.2.1"),
    oid("2.23.133.2.2"),
    oid("2.23.133.2.3"),
];
pub(crate) const CA_ISSUERS: Oid = oid("1.3.6.1.5.5.7.48.2");
pub(crate) const HARDWARE_MODULE_NAME: Oid = oid("1.3.6.1.5.5.7.8.4");

pub(crate) const OCSP_BASIC: Oid = oid("1.3.6.1.5.5.7.48.1.1");
pub(crate) const OCSP_NONCE: Oid = oid("1.3.6.1.5.5.7.48.1.2");
pub(crate) const OCSP_NOCHECK: Oid = oid("1.3.6.1.5.5.7.48.1.5");

pub(crate) const SHA1: Oid = oid("1.3.14.3.2.26");
pub(crate) const SHA256: Oid = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA384: Oid = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA512: Oid = oid("2.16.840.1.101.3.4.2.3");

pub(crate) const CMS_DATA: Oid = oid("1.2.840.113549.1.7.1");
pub(crate) const CMS_SIGNED_DATA: Oid = oid("1.2.840.113549.1.7.2");
