use enlist_core::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// One step from a schema version to the next. Fields are named by JSON pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Migration {
    /// The value moves, where there is one.
    Rename {
        /// Where it was.
        from: String,
        /// Where it goes.
        to: String,
    },
    /// The value goes, where there is one.
    Remove {
        /// Where it was.
        path: String,
    },
    /// The value is set, whatever it was.
    Set {
        /// Where.
        path: String,
        /// To what.
        value: Value,
    },
    /// Each value that is listed becomes another; values that are not listed stay.
    Map {
        /// Where.
        path: String,
        /// From the value, as text, to what it becomes.
        values: Map<String, Value>,
    },
    /// A number is multiplied: another unit.
    Scale {
        /// Where.
        path: String,
        /// By what.
        by: f64,
    },
}

impl Statement for Schema {
    const TYPE: &'static str = "application/vnd.enlist.config-schema+json";
}
