use enlist_config::Migration;
use enlist_core::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Statement;

/// The schema of a group's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The group's tenant.
    pub tenant: Name,
    /// The group.
    pub group: Name,
    /// The number of this statement. It only rises, and a device takes none that is lower than the last.
    pub version: u64,
    /// The version of the schema itself. It may be stepped back by a statement with a higher number.
    pub schema_version: u32,
    /// The schema: JSON Schema 2020-12, each field with a default.
    pub schema: Value,
    /// How values of the schema version before become values of this one, step by step; `migrations[i]`
    /// leads to schema version `i + 2`.
    pub migrations: Vec<Vec<Migration>>,
    /// When it was stated.
    pub at: Timestamp,
}

impl Statement for Schema {
    const TYPE: &'static str = "application/vnd.enlist.config-schema+json";
}
