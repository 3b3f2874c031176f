//! What is on record of a certificate.

use std::fmt;
use std::str::FromStr;

use crate::{CaId, DeviceId, Digest, Rng, TenantId, Timestamp};

/// A serial number: 128 random bits, read as an unsigned big-endian number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial([u8; 16]);

impl Serial {
    /// Makes a new one; never zero, and its first byte is never zero, so that it has one form.
    pub fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 16];
        while bytes[0] == 0 {
            rng.fill(&mut bytes);
        }
        Self(bytes)
    }

    /// Reads a big-endian number of any length, as a certificate carries it.
    /// `None` where it is not one of ours.
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let start = bytes.iter().position(|b| *b != 0)?;
        bytes[start..].try_into().ok().map(Self)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A text that is no serial number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a serial number: expected 32 hexadecimal digits")]
pub struct InvalidSerial;

impl FromStr for Serial {
    type Err = InvalidSerial;

    /// Reads 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(InvalidSerial);
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = &text[at * 2..at * 2 + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| InvalidSerial)?;
        }
        Self::from_be_bytes(&bytes).ok_or(InvalidSerial)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

/// A certificate that was issued to a device. It stays on record after the device is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its serial number, unique in the installation.
    pub serial: Serial,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Who it was issued to.
    pub device: DeviceId,
    /// Who signed it.
    pub issuer: CaId,
    /// SHA-256 of its DER.
    pub fingerprint: Digest,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whether it still stands.
    pub standing: Standing,
    /// The certificate itself.
    pub der: Vec<u8>,
}

/// Whether a certificate still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Good,
    /// On hold since then: the device is suspended, and may come back.
    Held(Timestamp),
    /// Revoked for good.
    Revoked {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: RevocationReason,
    },
}

/// Why a certificate was revoked (RFC 5280, section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationReason {
    /// The key is, or may be, in other hands.
    KeyCompromise,
    /// A newer certificate has taken its place.
    Superseded,
    /// The device was decommissioned, deprovisioned or deleted.
    CessationOfOperation,
}

impl RevocationReason {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::KeyCompromise,
        Self::Superseded,
        Self::CessationOfOperation,
    ];

    /// The code of RFC 5280's CRLReason.
    pub const fn code(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
        }
    }

    /// Reads the code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
        }
    }
}
