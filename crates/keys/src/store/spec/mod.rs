//! The words that name a key store in a configuration.

mod pkcs11;
mod tpm;

pub use pkcs11::{PinSource, Pkcs11Spec};
pub use tpm::{HandleRange, TpmAddress, TpmSpec};

use super::StoreKind;

/// A key store and how to reach it. A store that this program was built without can be named
/// all the same; opening it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSpec {
    /// Encrypted files.
    File(FileStoreSpec),
    /// A TPM 2.0.
    Tpm(TpmSpec),
    /// A PKCS#11 token.
    Pkcs11(Pkcs11Spec),
}

impl Default for StoreSpec {
    fn default() -> Self {
        Self::File(FileStoreSpec::default())
    }
}

impl StoreSpec {
    /// Reads one of these:
    ///
    /// - `file`, `file:wrapping=key-file`, `file:wrapping=credential`, or
    ///   `file:wrapping=tpm` with, after a semicolon, `device=` or `swtpm=` as below;
    /// - `tpm`, `tpm:device=/dev/tpmrm0`, `tpm:swtpm=/path/of/socket`,
    ///   `tpm:swtpm=localhost:2321`, any of them with `handles=0x81018000-0x810180ff`, parts
    ///   separated by semicolons;
    /// - a PKCS#11 URI (RFC 7512) with `module-path` and `token` or `serial`:
    ///   `pkcs11:token=device?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/enlist/pin`.
    ///
    /// # Errors
    /// Says what is wrong, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, BadSpec> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("file", rest) => FileStoreSpec::parse(rest).map(Self::File),
            ("tpm", rest) => TpmSpec::parse(rest).map(Self::Tpm),
            ("pkcs11", rest) => Pkcs11Spec::parse(rest).map(Self::Pkcs11),
            (other, _) => Err(BadSpec::new(
                format!("there is no key store `{other}`"),
                "write `file`, `tpm` or `pkcs11:…`",
            )),
        }
    }

    /// Which kind of store it names.
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::File(_) => StoreKind::File,
            Self::Tpm(_) => StoreKind::Tpm,
            Self::Pkcs11(_) => StoreKind::Pkcs11,
        }
    }
}

/// What there is to say about the file store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileStoreSpec {
    /// Where its wrapping key comes from.
    pub wrapping: Wrapping,
}

/// Where the file store's wrapping key comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wrapping {
    /// The best there is: a systemd credential, the TPM, a file.
    #[default]
    Best,
    /// A systemd credential, or nothing.
    Credential,
    /// Sealed by this TPM, or nothing.
    Tpm(TpmAddress),
    /// A file beside the keys.
    KeyFile,
}

impl FileStoreSpec {
    fn parse(text: &str) -> Result<Self, BadSpec> {
        let (first, rest) = text.split_once(';').unwrap_or((text, ""));
        let wrapping = match first {
            "" | "wrapping=best" if rest.is_empty() => Wrapping::Best,
            "wrapping=credential" if rest.is_empty() => Wrapping::Credential,
            "wrapping=key-file" if rest.is_empty() => Wrapping::KeyFile,
            "wrapping=tpm" => match TpmSpec::parse(rest)? {
                TpmSpec { address, handles } if handles == HandleRange::default() => {
                    Wrapping::Tpm(address)
                }
                _ => {
                    return Err(BadSpec::new(
                        "a sealed wrapping key takes no handles of the TPM's".into(),
                        "leave `handles` out",
                    ));
                }
            },
            _ => {
                return Err(BadSpec::new(
                    format!("`{text}` says nothing to the key store `file`"),
                    "write `file`, or `file:wrapping=` with best, credential, tpm or key-file",
                ));
            }
        };
        Ok(Self { wrapping })
    }
}

/// A key store is named wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}: {remedy}")]
pub struct BadSpec {
    problem: String,
    remedy: &'static str,
}

impl BadSpec {
    pub(super) fn new(problem: String, remedy: &'static str) -> Self {
        Self { problem, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_store_says_where_its_wrapping_key_is() {
        let wrapping = |text: &str| match StoreSpec::parse(text) {
            Ok(StoreSpec::File(spec)) => spec.wrapping,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(StoreSpec::parse("file"), Ok(StoreSpec::default()));
        assert_eq!(wrapping("file:wrapping=best"), Wrapping::Best);
        assert_eq!(wrapping("file:wrapping=credential"), Wrapping::Credential);
        assert_eq!(wrapping("file:wrapping=key-file"), Wrapping::KeyFile);
        let machine = Wrapping::Tpm(TpmAddress::Machine);
        assert_eq!(wrapping("file:wrapping=tpm"), machine);
        let socket = Wrapping::Tpm(TpmAddress::SwtpmSocket("/s".into()));
        assert_eq!(wrapping("file:wrapping=tpm;swtpm=/s"), socket);
    }

    #[test]
    fn what_says_nothing_to_the_file_store_is_refused_with_what_to_write() {
        for text in [
            "file:/var/lib/key.pem",
            "file:wrapping=",
            "file:wrapping=tpm;handles=0x81018000-0x81018001",
            "file:wrapping=key-file;swtpm=/s",
            "files",
        ] {
            let error = StoreSpec::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(": write ") || error.contains(": leave "),
                "{error}"
            );
        }
    }
}
