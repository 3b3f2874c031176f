//! The object identifiers this program speaks of.

/// An object identifier.
pub type Oid = der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> Oid {
    Oid::new_unwrap(text)
}

/// The certificate policy that marks a CA as issuer of Enlist server certificates. An
/// agent takes a path to its installation's root only through CAs that carry it.
///
/// Arc 2.25 belongs to UUIDs (X.667); this is the number 738877249 below it, fixed for
/// good. It is kept under 2^31 because many readers of X.509 refuse larger arcs.
pub const SERVER_POLICY_OID: Oid = oid("2.25.738877249");

pub(crate) const EC_PUBLIC_KEY: Oid = oid("1.2.840.10045.2.1");
pub(crate) const P256: Oid = oid("1.2.840.10045.3.1.7");
pub(crate) const P384: Oid = oid("1.3.132.0.34");
pub(crate) const ED25519: Oid = oid("1.3.101.112");
pub(crate) const RSA: Oid = oid("1.2.840.113549.1.1.1");

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
/// Microsoft's `szOID_CERT_EXTENSIONS`, which some clients send in its place.
pub(crate) const MS_EXTENSION_REQUEST: Oid = oid("1.3.6.1.4.1.311.2.1.14");

/// subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
pub const SUBJECT_KEY_ID: Oid = oid("2.5.29.14");
/// keyUsage (RFC 5280 section 4.2.1.3).
pub const KEY_USAGE: Oid = oid("2.5.29.15");
/// subjectAltName (RFC 5280 section 4.2.1.6).
pub const SUBJECT_ALT_NAME: Oid = oid("2.5.29.17");
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
pub(crate) const CLIENT_AUTH: Oid = oid("1.3.6.1.5.5.7.3.2");
pub(crate) const OCSP_SIGNING: Oid = oid("1.3.6.1.5.5.7.3.9");
