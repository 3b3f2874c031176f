use std::path::{Path, PathBuf};

use enlist_keys::StoreKind;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::file::ConfigFile;

/// How a device is to prove which hardware it is, as the file has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttestationChoice {
    /// By the manufacturer's certificate where one is configured; by its TPM where its keys live there
    /// and it holds no provisioning secret.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// By its TPM, beside a secret too.
    Tpm,
    /// By the manufacturer's certificate.
    Idevid,
}

/// How a device proves which hardware it is when it enrolls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// Not at all.
    Nothing,
    /// By the TPM in which its keys live.
    Tpm,
    /// By what its manufacturer has given it.
    Idevid(Idevid),
}

/// Where the manufacturer's certificate of a device and its key are (IEEE 802.1AR).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idevid {
    /// The certificate and the CAs above it, PEM.
    pub certificate_path: PathBuf,
    /// Its key.
    pub key: IdevidKey,
}

/// Where the key of the manufacturer's certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdevidKey {
    /// In a file: PKCS#8 as PEM.
    File(PathBuf),
    /// In the key store. Without `;sha256=…`, it is the one that the certificate is over.
    Store(String),
}

impl Attestation {
    /// Whether the device proves anything.
    #[must_use]
    pub fn proves(&self) -> bool {
        *self != Self::Nothing
    }

    /// `store` is where the device's keys live.
    pub(super) fn from_file(
        path: &Path,
        file: &ConfigFile,
        store: StoreKind,
    ) -> Result<Self, ConfigError> {
        let idevid = idevid(path, file, store)?;
        let invalid = |why: &str| Err(ConfigError::invalid(path, "attestation", why));
        let has_secret = file.device_enrollment_token.is_some();
        let is_made_ahead = file.device_id.is_some();
        match (file.attestation.unwrap_or_default(), idevid) {
            (AttestationChoice::None, _) => Ok(Self::Nothing),
            (AttestationChoice::Tpm, _) if store != StoreKind::Tpm => {
                invalid("a TPM proves keys that live in it: give `key_store` as `tpm`")
            }
            (AttestationChoice::Tpm, _) => Ok(Self::Tpm),
            (AttestationChoice::Idevid, None) => {
                Err(ConfigError::missing(path, "idevid_certificate_path"))
            }
            (AttestationChoice::Auto, _) if is_made_ahead => Ok(Self::Nothing),
            (AttestationChoice::Auto | AttestationChoice::Idevid, Some(idevid)) => {
                Ok(Self::Idevid(idevid))
            }
            (AttestationChoice::Auto, None) if store == StoreKind::Tpm && !has_secret => {
                Ok(Self::Tpm)
            }
            (AttestationChoice::Auto, None) => Ok(Self::Nothing),
        }
    }
}

fn idevid(path: &Path, file: &ConfigFile, store: StoreKind) -> Result<Option<Idevid>, ConfigError> {
    let (certificate_path, key) = match (&file.idevid_certificate_path, &file.idevid_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate.clone(), key),
        (Some(_), None) => return Err(ConfigError::missing(path, "idevid_key")),
        (None, Some(_)) => return Err(ConfigError::missing(path, "idevid_certificate_path")),
    };
    let absolute = |field, given: &Path| match given.is_absolute() {
        true => Ok(()),
        false => Err(ConfigError::invalid(path, field, "give an absolute path")),
    };
    absolute("idevid_certificate_path", &certificate_path)?;
    let in_store = [
        ("tpm:0x", StoreKind::Tpm),
        ("pkcs11:id=", StoreKind::Pkcs11),
    ];
    let key = match in_store.iter().find(|(start, _)| key.starts_with(start)) {
        Some((_, kind)) if *kind == store => IdevidKey::Store(key.clone()),
        Some((_, kind)) => {
            let why = format!("it is in the key store `{kind}`, and `key_store` names `{store}`");
            return Err(ConfigError::invalid(path, "idevid_key", why));
        }
        None => {
            absolute("idevid_key", Path::new(key))?;
            IdevidKey::File(key.into())
        }
    };
    Ok(Some(Idevid {
        certificate_path,
        key,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, store: StoreKind) -> Result<Attestation, String> {
        let file: ConfigFile = serde_json::from_str(json).map_err(|why| why.to_string())?;
        let checked = Attestation::from_file(Path::new("config.json"), &file, store);
        checked.map_err(|why| crate::explain(&why))
    }

    const SECRET: &str = r#""device_enrollment_token": "eps_x""#;
    const IDEVID: &str =
        r#""idevid_certificate_path": "/etc/idevid.pem", "idevid_key": "/etc/idevid.key""#;

    fn given() -> Attestation {
        Attestation::Idevid(Idevid {
            certificate_path: "/etc/idevid.pem".into(),
            key: IdevidKey::File("/etc/idevid.key".into()),
        })
    }

    #[test]
    fn a_tpm_proves_a_device_that_holds_no_secret_and_a_certificate_one_that_has_it() {
        use Attestation::{Nothing, Tpm};
        for (more, store, expected) in [
            (String::new(), StoreKind::File, Nothing),
            (String::new(), StoreKind::Tpm, Tpm),
            (String::new(), StoreKind::Pkcs11, Nothing),
            (SECRET.into(), StoreKind::Tpm, Nothing),
            (r#""device_id": "x""#.into(), StoreKind::Tpm, Nothing),
            (IDEVID.into(), StoreKind::File, given()),
            (IDEVID.into(), StoreKind::Tpm, given()),
            (format!("{SECRET}, {IDEVID}"), StoreKind::File, given()),
            (r#""attestation": "none""#.into(), StoreKind::Tpm, Nothing),
            (
                format!(r#""attestation": "none", {IDEVID}"#),
                StoreKind::Tpm,
                Nothing,
            ),
            (
                format!(r#""attestation": "tpm", {SECRET}"#),
                StoreKind::Tpm,
                Tpm,
            ),
            (
                format!(r#""attestation": "tpm", {IDEVID}"#),
                StoreKind::Tpm,
                Tpm,
            ),
            (
                format!(r#""attestation": "idevid", {IDEVID}"#),
                StoreKind::Tpm,
                given(),
            ),
        ] {
            let json = format!("{{{more}}}");
            assert_eq!(read(&json, store), Ok(expected), "{json} with {store}");
        }
    }

    #[test]
    fn what_can_prove_nothing_is_refused_by_its_field() {
        let part = |key: &str| {
            format!(r#""idevid_certificate_path": "/etc/idevid.pem", "idevid_key": "{key}""#)
        };
        for (json, field) in [
            (r#""attestation": "tpm""#.to_owned(), "`attestation`"),
            (r#""attestation": "quote""#.to_owned(), "quote"),
            (
                r#""attestation": "idevid""#.to_owned(),
                "`idevid_certificate_path`",
            ),
            (
                r#""idevid_certificate_path": "/a""#.to_owned(),
                "`idevid_key`",
            ),
            (
                r#""idevid_key": "/a""#.to_owned(),
                "`idevid_certificate_path`",
            ),
            (
                r#""idevid_certificate_path": "a", "idevid_key": "/a""#.to_owned(),
                "`idevid_certificate_path`",
            ),
            (part("idevid.key"), "`idevid_key`"),
            (part("tpm:0x81020000"), "`idevid_key`"),
            (part("pkcs11:token=a"), "`idevid_key`"),
        ] {
            let refused = read(&format!("{{{json}}}"), StoreKind::Pkcs11).unwrap_err();
            assert!(refused.contains(field), "{json}: {refused}");
        }
    }

    #[test]
    fn a_key_in_the_key_store_is_named_as_the_key_store_names_it() {
        let place = "pkcs11:id=00112233";
        let json =
            format!(r#"{{"idevid_certificate_path": "/etc/idevid.pem", "idevid_key": "{place}"}}"#);
        let Ok(Attestation::Idevid(idevid)) = read(&json, StoreKind::Pkcs11) else {
            panic!("a certificate");
        };
        assert_eq!(idevid.key, IdevidKey::Store(place.into()));
    }
}
