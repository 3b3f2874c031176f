use std::path::Path;

use enlist_pki::PublicKey;

use super::ConfigError;

/// Keys that may sign something, each of them one that reads: one that does not would keep the device from
/// ever hearing what is signed with it.
pub(super) fn signing_keys(
    path: &Path,
    field: &'static str,
    pems: Option<Vec<String>>,
) -> Result<Vec<String>, ConfigError> {
    let pems = pems.unwrap_or_default();
    for pem in &pems {
        PublicKey::from_pem(pem).map_err(|why| ConfigError::invalid(path, field, why))?;
    }
    Ok(pems)
}
