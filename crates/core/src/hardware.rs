//! What a device says of its own hardware.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Digest, lower_hex};

/// A claimed hardware identity: what software read, which proves nothing by itself.
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
}

impl HardwareKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Serial,
        Self::Uuid,
        Self::Soc,
        Self::Mac,
        Self::Machine,
        Self::Random,
        Self::Named,
    ];

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
    /// A kind this version doesn't know.
    #[error("unknown kind of hardware identity")]
    Kind,
}

impl HardwareIdentity {
    /// Takes a value as it was read, white space around it cut off. MAC addresses and UUIDs are
    /// made lowercase, so that the same board says the same everywhere.
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
            HardwareKind::Mac | HardwareKind::Uuid => value.to_ascii_lowercase(),
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
        assert!(HardwareIdentity::new(HardwareKind::Serial, "7").is_ok());
        assert!(HardwareIdentity::new(HardwareKind::Serial, "a\x1b[2J").is_err());
        assert!(HardwareIdentity::new(HardwareKind::Serial, &"x1".repeat(65)).is_err());
    }
}
