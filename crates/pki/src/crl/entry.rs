//! One line of a revocation list (RFC 5280 section 5.3).

use crate::time;

/// Why a certificate is not good (RFC 5280 section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrlReason {
    /// Not said.
    Unspecified,
    /// The key is, or may be, in other hands.
    KeyCompromise,
    /// A newer certificate has taken its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// It is on hold, and may come off it.
    CertificateHold,
}

impl CrlReason {
    /// The number that stands for it.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
        }
    }

    /// What a number stands for; `None` for one that we never write.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            _ => return None,
        })
    }
}

/// A certificate that is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokedEntry {
    /// Its serial number, big-endian; leading zeros don't matter.
    pub serial: [u8; 16],
    /// Since when (unix seconds). What X.509 can't name becomes the nearest it can.
    pub at: i64,
    /// Why.
    pub reason: CrlReason,
}

impl RevokedEntry {
    /// Puts the encoded entry at the end of `out`: some 50 bytes. Entries so joined are what
    /// [`super::CrlSpec::entries_der`] takes.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([SEQUENCE, 0]);
        self.append_serial(out);
        time::append_nearest(self.at, out);
        // An unspecified reason is left out (RFC 5280 section 5.3.1).
        if self.reason != CrlReason::Unspecified {
            out.extend(REASON);
            out.push(self.reason.code());
        }
        let len = out.len() - start - 2;
        out[start + 1] = u8::try_from(len).expect("an entry takes at most 50 bytes");
    }

    fn append_serial(&self, out: &mut Vec<u8>) {
        let first = self.serial.iter().position(|byte| *byte != 0).unwrap_or(15);
        let digits = &self.serial[first..];
        // A set high bit costs an octet more, to stay positive.
        let sign = digits[0] >> 7;
        out.extend([INTEGER, digits.len().to_le_bytes()[0] + sign]);
        if sign == 1 {
            out.push(0);
        }
        out.extend_from_slice(digits);
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// `Extensions` of one reasonCode, all but the last byte: the code itself.
const REASON: [u8; 13] = [
    SEQUENCE, 12, SEQUENCE, 10, 0x06, 3, 0x55, 0x1d, 0x15, 0x04, 3, 0x0a, 1,
];
