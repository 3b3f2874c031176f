//! What lies where below `configuration/`.

use enlist_core::Digest;
use enlist_pki::PublicKey;

use super::statements::{Held, Statements};
use crate::disk::Disk;

pub(super) const HOME: &str = "configuration";
pub(super) const STATE: &str = "configuration/state.json";
pub(super) const STATE_COPY: &str = "configuration/state.copy.json";
pub(super) const KNOWN: &str = "configuration/known";
pub(super) const CURRENT: &str = "configuration/current";
pub(crate) const REQUEST: &str = "configuration/reset-request";
pub(super) const LOG: &str = "configuration/changes.log";
pub(super) const OLD_LOG: &str = "configuration/changes.log.1";

/// The kinds of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Schema,
    Group,
    Device,
}

impl Kind {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Schema => "schema.json",
            Self::Group => "group.json",
            Self::Device => "device.json",
        }
    }
}

pub(super) fn directory(slot: u64) -> String {
    format!("{HOME}/{slot}")
}

pub(super) fn config(slot: u64) -> String {
    format!("{HOME}/{slot}/config.json")
}

pub(super) fn backup(schema_version: u32) -> String {
    format!("{HOME}/backup-v{schema_version}")
}

/// The authentic statements in a directory; what is damaged or signed by nobody who counts is not there.
pub(super) fn statements<D: Disk>(disk: &D, directory: &str, keys: &[PublicKey]) -> Statements {
    let read = |kind: Kind| {
        disk.read(&format!("{directory}/{}", kind.file()))
            .ok()
            .flatten()
    };
    Statements {
        schema: read(Kind::Schema).and_then(|json| Held::read(&json, keys)),
        group: read(Kind::Group).and_then(|json| Held::read(&json, keys)),
        device: read(Kind::Device).and_then(|json| Held::read(&json, keys)),
    }
}

/// SHA-256 in lowercase hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_hex()
}
