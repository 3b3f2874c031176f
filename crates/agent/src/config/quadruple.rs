use std::path::Path;

use enlist_core::{DeviceId, DeviceToken};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Signer, SubjectName};
use secrecy::SecretString;

use super::ConfigError;
use super::file::ConfigFile;

/// The identity of a pre-enrolled device, generated ahead and loaded at the factory.
#[derive(Clone, Debug)]
pub struct Quadruple {
    /// The device.
    pub device_id: DeviceId,
    /// Its token.
    pub device_token: DeviceToken,
    /// Its certificate, and what else came with it.
    pub chain: Vec<Certificate>,
    /// The key of that certificate, PKCS#8 as PEM.
    pub private_key_pem: SecretString,
}

impl Quadruple {
    /// The four fields of a file, `None` when it has none of them.
    pub(super) fn from_file(path: &Path, file: &ConfigFile) -> Result<Option<Self>, ConfigError> {
        let (id, token, certificate, key) = match (
            &file.device_id,
            &file.device_token,
            &file.device_certificate_pem,
            &file.device_private_key_pem,
        ) {
            (None, None, None, None) => return Ok(None),
            (Some(id), Some(token), Some(certificate), Some(key)) => (id, token, certificate, key),
            _ => return Err(half(path, file)),
        };
        let device_id: DeviceId = id
            .parse()
            .map_err(|why: enlist_core::InvalidId| ConfigError::invalid(path, "device_id", why))?;
        let device_token = DeviceToken::parse(token.expose())
            .map_err(|why| ConfigError::invalid(path, "device_token", why))?;
        let chain = enlist_pki::chain_from_pem(certificate)
            .map_err(|why| ConfigError::invalid(path, "device_certificate_pem", why))?;
        let signer = FileKey::from_pkcs8_pem(key.expose())
            .map_err(|why| ConfigError::invalid(path, "device_private_key_pem", why))?;
        let leaf = chain.first();
        if leaf.is_none_or(|leaf| leaf.spki_der() != signer.public_key().spki_der()) {
            let why = "the key is not the certificate's";
            return Err(ConfigError::invalid(path, "device_private_key_pem", why));
        }
        let uri = SubjectName::Uri(format!("urn:uuid:{device_id}"));
        if leaf.is_none_or(|leaf| !leaf.names().contains(&uri)) {
            let why = "the certificate is another device's";
            return Err(ConfigError::invalid(path, "device_certificate_pem", why));
        }
        Ok(Some(Self {
            device_id,
            device_token,
            chain,
            private_key_pem: SecretString::from(key.expose()),
        }))
    }
}

fn half(path: &Path, file: &ConfigFile) -> ConfigError {
    let fields = [
        ("device_id", file.device_id.is_none()),
        ("device_token", file.device_token.is_none()),
        (
            "device_certificate_pem",
            file.device_certificate_pem.is_none(),
        ),
        (
            "device_private_key_pem",
            file.device_private_key_pem.is_none(),
        ),
    ];
    ConfigError::HalfQuadruple {
        path: path.to_owned(),
        missing: fields
            .into_iter()
            .filter_map(|(field, missing)| missing.then_some(field))
            .collect(),
    }
}
