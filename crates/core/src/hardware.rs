//! What a device says of its own hardware.

mod flaw;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Digest, lower_hex};

/// A hardware identity: claimed, which proves nothing by itself, or proved by the hardware.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HardwareIdentity {
    kind: HardwareKind,
    value: String,
}

/// Where a hardware identity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HardwareKind {
    /// The serial number of the board (DMI, SMBIOS, device tree).
    Serial,
    /// The UUID of the board (DMI, SMBIOS).
    Uuid,
    /// The id of the system on chip.
    Soc,
    /// A permanent MAC address.
    Mac,
    /// The machine id of the operating system, hashed.
    Machine,
    /// Made once at random and kept, where there is nothing else.
    Random,
    /// Named by the configuration.
    Named,
    /// The endorsement key of a TPM 2.0: SHA-256 of its `SubjectPublicKeyInfo`, 64 hexadecimal digits.
    TpmEk,
    /// A manufacturer's certificate (IEEE 802.1AR): `manufacturer/serial number`.
    Idevid,
}

impl HardwareKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Serial,
        Self::Uuid,
        Self::Soc,
        Self::Mac,
        Self::Machine,
        Self::Random,
        Self::Named,
        Self::TpmEk,
        Self::Idevid,
    ];

    /// Whether such an identity counts only where the hardware has proved it. Nobody may claim one.
    pub fn is_proved(self) -> bool {
        matches!(self, Self::TpmEk | Self::Idevid)
    }

    /// The text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Uuid => "uuid",
            Self::Soc => "soc",
            Self::Mac => "mac",
            Self::Machine => "machine",
            Self::Random => "random",
            Self::Named => "named",
            Self::TpmEk => "tpm-ek",
            Self::Idevid => "idevid",
        }
    }
}

impl FromStr for HardwareKind {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(NotAnIdentity::Kind)
    }
}

/// Why a value identifies nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdentity {
    /// Empty.
    #[error("the hardware identity is empty")]
    Empty,
    /// Longer than 128 bytes.
    #[error("the hardware identity is longer than 128 bytes")]
    TooLong,
    /// Control characters.
    #[error("the hardware identity has characters that can't be printed")]
    Unprintable,
    /// What a vendor left in place of a value.
    #[error("the hardware identity is a placeholder that many boards share")]
    Placeholder,
    /// What only the hardware itself can say.
    #[error(
        "a hardware identity of this kind is proved by the hardware, and nobody's claim to it counts"
    )]
    Claimed,
    /// A kind this version doesn't know.
    #[error("unknown kind of hardware identity")]
    Kind,
}

impl HardwareIdentity {
    /// Takes a value as it was read, white space around it cut off. MAC addresses and UUIDs are
    /// written in one way, so that the same board says the same everywhere.
    ///
    /// # Errors
    /// When the value identifies nothing.
    pub fn new(kind: HardwareKind, value: &str) -> Result<Self, NotAnIdentity> {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if value.is_empty() {
            return Err(NotAnIdentity::Empty);
        }
        if value.len() > 128 {
            return Err(NotAnIdentity::TooLong);
        }
        if value.chars().any(char::is_control) {
            return Err(NotAnIdentity::Unprintable);
        }
        if is_placeholder(value) {
            return Err(NotAnIdentity::Placeholder);
        }
        let value = match kind {
            HardwareKind::Mac => mac(value),
            HardwareKind::Uuid => match Uuid::try_parse(value) {
                Ok(uuid) => uuid.to_string(),
                Err(_) => value.to_ascii_lowercase(),
            },
            HardwareKind::TpmEk => value.to_ascii_lowercase(),
            _ => value.to_owned(),
        };
        Ok(Self { kind, value })
    }

    /// Where it comes from.
    pub fn kind(&self) -> HardwareKind {
        self.kind
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// A short form fit for the end of a name: twelve hexadecimal digits of its hash.
    pub fn short(&self) -> String {
        let digest = Digest::of(self.to_string().as_bytes());
        lower_hex(&digest.as_bytes()[..6])
    }
}

impl fmt::Display for HardwareIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.value)
    }
}

impl FromStr for HardwareIdentity {
    type Err = NotAnIdentity;

    /// Reads `kind:value`.
    fn from_str(text: &str) -> Result<Self, NotAnIdentity> {
        let (kind, value) = text.split_once(':').ok_or(NotAnIdentity::Kind)?;
        Self::new(kind.parse()?, value)
    }
}

/// A MAC address of 48 or 64 bits in lowercase and with colons, however it was written; other texts in
/// lowercase.
fn mac(value: &str) -> String {
    let digits: Vec<char> = value.chars().filter(|c| !":-.".contains(*c)).collect();
    let is_mac = matches!(digits.len(), 12 | 16) && digits.iter().all(char::is_ascii_hexdigit);
    if !is_mac {
        return value.to_ascii_lowercase();
    }
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs.collect::<Vec<_>>().join(":").to_ascii_lowercase()
}

/// What vendors leave behind where a value belongs. Compared without case and punctuation.
const PLACEHOLDERS: &[&str] = &[
    "tobefilledbyoem",
    "tobefilledbyoemno",
    "systemserialnumber",
    "systemproductname",
    "baseboardserialnumber",
    "chassisserialnumber",
    "serialnumber",
    "defaultstring",
    "notspecified",
    "notapplicable",
    "notavailable",
    "notset",
    "none",
    "null",
    "na",
    "unknown",
    "undefined",
    "invalid",
    "empty",
    "oem",
    "default",
    "123456789",
    "0123456789",
    "1234567890",
    "0123456789abcdef",
    "0304020009000008000700030405060708090a0b0c0d0e0f",
    "03000200040005000006000700080009",
];

fn is_placeholder(value: &str) -> bool {
    let bare: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let mut chars = bare.chars();
    let all_alike = chars
        .next()
        .is_none_or(|first| chars.all(|c| c == first) && (bare.len() > 3 || "0fx".contains(first)));
    all_alike || PLACEHOLDERS.contains(&bare.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_as_nothing() {
        for value in [
            "To be filled by O.E.M.",
            "To Be Filled By O.E.M",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "03000200-0400-0500-0006-000700080009",
            "00:00:00:00:00:00",
            "Default string",
            "System Serial Number",
            "0",
            "N/A",
            "None",
            "...",
        ] {
            assert_eq!(
                HardwareIdentity::new(HardwareKind::Serial, value),
                Err(NotAnIdentity::Placeholder),
                "{value}"
            );
        }
    }

    #[test]
    fn real_values_are_kept_and_read_back() {
        let mac = HardwareIdentity::new(HardwareKind::Mac, " 00:1A:2B:3C:4D:5E\n").unwrap();
        assert_eq!(mac.to_string(), "mac:00:1a:2b:3c:4d:5e");
        assert_eq!(mac.to_string().parse(), Ok(mac.clone()));
        assert_eq!(mac.short().len(), 12);
        for same in ["001A2B3C4D5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"] {
            assert_eq!(
                HardwareIdentity::new(HardwareKind::Mac, same),
                Ok(mac.clone())
            );
        }
        let uuid = "4C4C4544-0046-3510-8058-B4C04F4A3033";
        let read = HardwareIdentity::new(HardwareKind::Uuid, uuid).unwrap();
        assert_eq!(read.value(), uuid.to_ascii_lowercase());
        assert!(HardwareIdentity::new(HardwareKind::Serial, "7").is_ok());
        assert!(HardwareIdentity::new(HardwareKind::Serial, "a\x1b[2J").is_err());
        assert!(HardwareIdentity::new(HardwareKind::Serial, &"x1".repeat(65)).is_err());
    }
}
