use std::path::Path;

use enlist_keys::StoreSpec;
use enlist_pki::KeyKind;

use super::ConfigError;

/// Where keys live.
pub(super) fn store(path: &Path, text: Option<&str>) -> Result<StoreSpec, ConfigError> {
    let spec = text.map(StoreSpec::parse).transpose();
    let spec = spec.map_err(|why| ConfigError::invalid(path, "key_store", why))?;
    Ok(spec.unwrap_or_default())
}

/// What kind of keys are made. There are two, which every key store has and every peer takes.
pub(super) fn kind(path: &Path, text: Option<&str>) -> Result<KeyKind, ConfigError> {
    match text {
        None | Some("P-256") => Ok(KeyKind::P256),
        Some("P-384") => Ok(KeyKind::P384),
        Some(other) => Err(ConfigError::invalid(
            path,
            "key_kind",
            format!("there is no {other:?}; write \"P-256\" or \"P-384\""),
        )),
    }
}
