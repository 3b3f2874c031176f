//! How OCSP names a certificate: by digests of its issuer's name and key, and its serial
//! number (RFC 6960 section 4.1.1).

use aws_lc_rs::digest::{self, digest};
use der::asn1::{AnyRef, OctetStringRef, UintRef};
use der::{Decode, Encode, Reader, SliceReader};
use spki::AlgorithmIdentifierRef;

use crate::encode::{self, EncodeError};
use crate::key::PublicKey;
use crate::name::DistinguishedName;
use crate::oid;

/// The digests that clients name an issuer with. SHA-1 is what most of them use; nothing
/// rests on its strength here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestKind {
    /// SHA-1, the only one of RFC 5019.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    fn oid(self) -> oid::Oid {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// What an `AlgorithmIdentifier` names; parameters are absent or NULL.
    fn named(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<Self> {
        let plain = algorithm.parameters.is_none_or(AnyRef::is_null);
        let named = |kind: &Self| plain && kind.oid() == algorithm.oid;
        Self::ALL.into_iter().find(named)
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Box<[u8]> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest(algorithm, bytes).as_ref().into()
    }
}

/// An issuer as OCSP names it: to look a CA up by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuerHash {
    kind: DigestKind,
    name: Box<[u8]>,
    key: Box<[u8]>,
}

impl IssuerHash {
    /// The issuer of this name and key.
    pub fn of(kind: DigestKind, name: &DistinguishedName, key: &PublicKey) -> Self {
        Self {
            kind,
            name: kind.digest(name.der()),
            key: kind.digest(key.bits()),
        }
    }

    /// All the ways to name that issuer.
    pub fn all(name: &DistinguishedName, key: &PublicKey) -> [Self; 4] {
        DigestKind::ALL.map(|kind| Self::of(kind, name, key))
    }
}

/// The certificate that is asked about. Two are equal when their bytes are.
#[derive(Debug, Clone)]
pub struct CertId {
    der: Box<[u8]>,
    issuer: Option<IssuerHash>,
    serial: Box<[u8]>,
}

impl CertId {
    /// Names a certificate.
    ///
    /// # Errors
    /// None that is known.
    pub fn new(issuer: &IssuerHash, serial: &[u8]) -> Result<Self, EncodeError> {
        let algorithm = AlgorithmIdentifierRef {
            oid: issuer.kind.oid(),
            parameters: Some(AnyRef::NULL),
        };
        let serial = UintRef::new(serial)?;
        let der = encode::sequence(&[
            &algorithm.to_der()?,
            &OctetStringRef::new(&issuer.name)?.to_der()?,
            &OctetStringRef::new(&issuer.key)?.to_der()?,
            &serial.to_der()?,
        ])?;
        Ok(Self {
            der: der.into(),
            issuer: Some(issuer.clone()),
            serial: serial.as_bytes().into(),
        })
    }

    /// Its issuer; `None` where that is named with a digest that we don't know.
    pub fn issuer(&self) -> Option<&IssuerHash> {
        self.issuer.as_ref()
    }

    /// Whether the CA of this name and key issued it, as far as it says.
    pub fn is_of(&self, name: &DistinguishedName, key: &PublicKey) -> bool {
        let is = |issuer: &IssuerHash| *issuer == IssuerHash::of(issuer.kind, name, key);
        self.issuer.as_ref().is_some_and(is)
    }

    /// The serial number, big-endian, without leading zeros.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The DER `CertID`, which the answer repeats.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn read(reader: &mut SliceReader<'_>) -> der::Result<Self> {
        let der = reader.tlv_bytes()?;
        let mut inner = SliceReader::new(der)?;
        let (algorithm, name, key, serial) = inner.sequence(|id| {
            let algorithm = AlgorithmIdentifierRef::decode(id)?;
            let name: &OctetStringRef = id.decode()?;
            let key: &OctetStringRef = id.decode()?;
            let serial: UintRef<'_> = id.decode()?;
            Ok::<_, der::Error>((algorithm, name, key, serial))
        })?;
        let issuer = DigestKind::named(&algorithm).map(|kind| IssuerHash {
            kind,
            name: name.as_bytes().into(),
            key: key.as_bytes().into(),
        });
        Ok(Self {
            der: der.into(),
            issuer,
            serial: serial.as_bytes().into(),
        })
    }
}

impl PartialEq for CertId {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CertId {}
