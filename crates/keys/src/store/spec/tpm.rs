//! `tpm`, and `tpm:` with what is different here.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::BadSpec;

/// A TPM, and where in it keys may lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TpmSpec {
    /// How to reach it.
    pub address: TpmAddress,
    /// The persistent handles that are ours.
    pub handles: HandleRange,
}

/// How to reach a TPM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TpmAddress {
    /// `/dev/tpmrm0`, else `/dev/tpm0`.
    #[default]
    Machine,
    /// A character device.
    Device(PathBuf),
    /// swtpm's Unix socket (`--server type=unixio`).
    SwtpmSocket(PathBuf),
    /// swtpm's TCP socket (`--server type=tcp`), as host and port.
    SwtpmTcp(String),
}

/// Persistent handles that belong to this program alone: the store takes free ones of them for
/// new keys, and `sweep` empties those that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandleRange(RangeInclusive<u32>);

impl HandleRange {
    /// From `first` to `last`, both included: within the owner's half of the persistent
    /// handles (0x81000000 to 0x817fffff), above what the TCG keeps for itself (the first
    /// 0x8000 of them hold the storage root key).
    pub fn new(first: u32, last: u32) -> Option<Self> {
        let ours = 0x8100_8000..=0x817f_ffff;
        (first <= last && ours.contains(&first) && ours.contains(&last))
            .then_some(Self(first..=last))
    }

    /// The first handle.
    pub fn first(&self) -> u32 {
        *self.0.start()
    }

    /// The last handle.
    pub fn last(&self) -> u32 {
        *self.0.end()
    }
}

impl Default for HandleRange {
    fn default() -> Self {
        Self(0x8101_8000..=0x8101_80ff)
    }
}

impl TpmSpec {
    pub(super) fn parse(text: &str) -> Result<Self, BadSpec> {
        let mut spec = Self::default();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name {
                "device" if value.starts_with('/') => {
                    spec.address = TpmAddress::Device(value.into());
                }
                "swtpm" if value.starts_with('/') => {
                    spec.address = TpmAddress::SwtpmSocket(value.into());
                }
                "swtpm" if value.contains(':') => {
                    spec.address = TpmAddress::SwtpmTcp(value.into());
                }
                "handles" => spec.handles = handles(value)?,
                _ => {
                    return Err(BadSpec::new(
                        format!("`{part}` says nothing to the key store `tpm`"),
                        "write `tpm`, or after a colon and separated by semicolons: \
                         device=/dev/tpmrm0, swtpm=/path/of/socket, swtpm=host:port, \
                         handles=0x81018000-0x810180ff",
                    ));
                }
            }
        }
        Ok(spec)
    }
}

fn handles(text: &str) -> Result<HandleRange, BadSpec> {
    let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    text.split_once('-')
        .and_then(|(first, last)| HandleRange::new(number(first)?, number(last)?))
        .ok_or_else(|| {
            BadSpec::new(
                format!("`{text}` is no range of handles for keys"),
                "write two hexadecimal numbers from 0x81008000 to 0x817fffff, as in \
                 0x81018000-0x810180ff",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::super::StoreSpec;
    use super::*;

    fn tpm(text: &str) -> TpmSpec {
        match StoreSpec::parse(text) {
            Ok(StoreSpec::Tpm(spec)) => spec,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_tpm_is_found_by_device_socket_or_port() {
        assert_eq!(tpm("tpm"), TpmSpec::default());
        assert_eq!(tpm("tpm").handles.first(), 0x8101_8000);
        assert_eq!(
            tpm("tpm:device=/dev/tpm1;handles=0x81020000-0x81020003"),
            TpmSpec {
                address: TpmAddress::Device("/dev/tpm1".into()),
                handles: HandleRange::new(0x8102_0000, 0x8102_0003).unwrap(),
            }
        );
        assert_eq!(
            tpm("tpm:swtpm=/run/swtpm").address,
            TpmAddress::SwtpmSocket("/run/swtpm".into())
        );
        assert_eq!(
            tpm("tpm:swtpm=[::1]:2321").address,
            TpmAddress::SwtpmTcp("[::1]:2321".into())
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_write() {
        for text in [
            "tpm:device=tpm0",
            "tpm:swtpm=",
            "tpm:handles=0x81000001-0x81018000",
            "tpm:handles=0x81018001-0x81018000",
            "tpm:handles=81018001-81018002",
            "tpm:handles=0x81018001-0x81818002",
            "tpm:sealed",
            "tpm2",
            "",
        ] {
            let error = StoreSpec::parse(text).unwrap_err().to_string();
            assert!(error.contains(": write "), "{text}: {error}");
        }
    }
}
