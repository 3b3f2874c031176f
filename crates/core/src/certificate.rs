//! What is on record of a certificate.

use std::fmt;
use std::str::FromStr;

use crate::{CaId, Clock, DeviceId, Digest, Rng, TenantId, Timestamp};

/// A serial number, read as an unsigned big-endian number of 128 bits: a set bit, the milliseconds of its
/// making, and 80 random bits, where the CA/Browser Forum's rules ask for 64. They come in the order of time, so
/// that a new one is written at the end of an index of millions, rather than anywhere in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial([u8; 16]);

impl Serial {
    /// Makes a new one.
    pub fn new(clock: &dyn Clock, rng: &dyn Rng) -> Self {
        let millis = clock.now().as_millis().to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis[2..]);
        // Positive, and never with a leading zero, whatever the clock says: it has one form.
        bytes[0] = (bytes[0] | 0x40) & 0x7f;
        rng.fill(&mut bytes[6..]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRng;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0)
        }
    }

    #[test]
    fn serials_come_in_the_order_of_time_and_have_one_form_whatever_the_time() {
        let today = 1_700_000_000_000;
        let times = [0, 1, today, today + 1, (1 << 46) - 1];
        let serials = times.map(|at| Serial::new(&At(at), &SystemRng));
        assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
        for at in times.into_iter().chain([-5, i64::MAX, i64::MIN]) {
            let serial = Serial::new(&At(at), &SystemRng);
            // Sixteen bytes in DER, too: neither a zero to leave out nor a sign to keep off.
            assert!((0x40..0x80).contains(&serial.as_bytes()[0]), "{at}");
            assert_eq!(Serial::from_be_bytes(serial.as_bytes()), Some(serial));
            assert_eq!(serial.to_string().parse(), Ok(serial));
        }
    }

    #[test]
    fn serials_of_one_moment_are_different() {
        let [one, other] = [0, 0].map(|_| Serial::new(&At(1_700_000_000_000), &SystemRng));
        assert_eq!(one.as_bytes()[1..6], other.as_bytes()[1..6]);
        assert_ne!(one.as_bytes()[6..], other.as_bytes()[6..]);
    }
}
