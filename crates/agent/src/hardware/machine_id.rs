//! The id of the installation.

use std::path::Path;

use enlist_core::{Digest, lower_hex};

use super::{NotFound, read_file};

/// The machine id is confidential (machine-id(5)), so it is hashed together with a label of ours.
pub(super) fn hashed(root: &Path) -> Result<String, NotFound> {
    let id = read_file(&root.join("etc/machine-id"))?;
    let id = id.trim();
    // It reads `uninitialized` before the first boot is through.
    if id.len() != 32 || !id.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(enlist_core::NotAnIdentity::Placeholder.into());
    }
    let digest = Digest::of(format!("enlist hardware identity v1\0{id}").as_bytes());
    Ok(lower_hex(&digest.as_bytes()[..16]))
}
