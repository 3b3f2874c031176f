use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::hardware::Source;

/// What `hardware_id` in the configuration may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the identity as text, or {\"file\": PATH}, or {\"source\": \
                 \"dmi-serial\" | \"dmi-uuid\" | \"device-tree\" | \"soc\" | \"mac\" | \"machine-id\"}"
)]
pub enum HardwareSource {
    /// The identity itself.
    Value(String),
    /// A file whose content is the identity.
    File(FromFile),
    /// One source, and no other.
    Source(FromSource),
}

/// `{"file": "/path"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromFile {
    /// The file to read.
    pub file: PathBuf,
}

/// `{"source": "mac"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FromSource {
    /// The source to read.
    pub source: Source,
}
