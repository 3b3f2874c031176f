use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ConfigurationNumbers, Envelope, Time};

/// States the schema of a group's configuration. Body of `POST …/groups/{group}/schema`.
///
/// Where the server signs, `schema` and `migrations` say it; where the operators do, `envelope` does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApplySchema {
    /// The schema: JSON Schema 2020-12, each field with a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub schema: Option<Value>,
    /// How values of the schema version before become values of this one. Needed from the second schema
    /// on; an empty list says that they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Object>>))]
    pub migrations: Option<Vec<Value>>,
    /// The statement, signed by the group's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// The number of the newest statement that the caller knows of; another one is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<u64>,
    /// Whether to check and compare alone, and state nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// States values for a group or a device. Body of `POST …/configuration`.
///
/// Where the server signs, `values` says it; where the operators do, `envelope` does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApplyConfiguration {
    /// Some of the schema's fields, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub values: Option<Map<String, Value>>,
    /// The statement, signed by the group's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// The number of the newest statement that the caller knows of; another one is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<u64>,
    /// Whether to check and compare alone, and state nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Goes back to an earlier statement by stating the same again. Body of `POST …/rollback`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RollbackRequest {
    /// The number of the statement to go back to.
    pub to: u64,
    /// The number of the newest statement that the caller knows of; another one is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<u64>,
    /// Whether to check and compare alone, and state nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of stating configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationApplied {
    /// Whether there is something new. Where there is not, nothing was stated.
    pub changed: bool,
    /// The number of the statement, or with `dry_run` the one that it would have.
    pub version: u64,
    /// The schema version that it is of.
    pub schema_version: u32,
    /// What is different on devices, but for what single devices have of their own. Secrets are masked.
    pub changes: Vec<ConfigurationChange>,
}

/// One field that is different.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationChange {
    /// Which, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it was; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub from: Option<Value>,
    /// What it is; absent where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub to: Option<Value>,
}

/// The schema of a group's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupSchema {
    /// The number of the statement.
    pub version: u64,
    /// The version of the schema.
    pub schema_version: u32,
    /// The schema.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub schema: Value,
    /// How values of each schema version become values of the next; the first leads to version 2.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Object>>))]
    pub migrations: Vec<Vec<Value>>,
    /// When it was stated.
    pub at: Time,
    /// By whom.
    pub by: String,
    /// The number of the newest statement; the next one is by one higher.
    pub newest: u64,
    /// The highest schema version that there has been.
    pub highest_schema_version: u32,
    /// The statement as it was signed.
    pub envelope: Envelope,
}

/// The values that are stated for a group or a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configuration {
    /// The number of the statement; 0 where there is none.
    pub version: u64,
    /// The schema version that the values are shown in.
    pub schema_version: u32,
    /// The values. Secrets are masked unless they were asked for.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub values: Map<String, Value>,
    /// The whole that devices make of it, where that was asked for: the schema's defaults, the group's
    /// values over them, and the device's own over those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub effective: Option<Map<String, Value>>,
    /// When it was stated; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The number of the newest statement; the next one is by one higher.
    pub newest: u64,
    /// The statement as it was signed, where secrets were asked for: they stand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
}

/// One statement of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationEntry {
    /// Its number.
    pub version: u64,
    /// The schema version that it is of.
    pub schema_version: u32,
    /// When it was stated.
    pub at: Time,
    /// By whom.
    pub by: String,
    /// What it changed. Secrets are masked.
    pub changes: Vec<ConfigurationChange>,
}

/// What should be in force on a device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DesiredConfiguration {
    /// The statements that it comes of.
    pub numbers: ConfigurationNumbers,
    /// The version of the schema.
    pub schema_version: u32,
    /// When the newest of them was stated.
    pub since: Time,
}

/// Which schema to show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct SchemaQuery {
    /// The number of an earlier statement; absent for the one that devices are to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Which statement to show, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct ConfigurationQuery {
    /// The number of an earlier statement; absent for what devices are to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether to show the whole that devices make of it.
    #[serde(default)]
    pub effective: bool,
    /// Whether to show secrets, which takes an administrator.
    #[serde(default)]
    pub reveal: bool,
}

/// Which part of a history to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct HistoryQuery {
    /// Only those before this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The most to return: 1 to 100, 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
