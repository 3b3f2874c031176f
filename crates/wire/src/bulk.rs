use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Problem;

/// Asks for devices named by prefix and number. JSON body of `POST …/devices/bulk`.
///
/// The names are `{prefix}{start}`, `{prefix}{start + 1}` and so on, without padding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkRange {
    /// How many.
    pub count: u64,
    /// What every name begins with.
    pub prefix: String,
    /// The first number.
    #[serde(default = "one")]
    pub start: u64,
}

/// One line of the `application/x-ndjson` body of `POST …/devices/bulk`: a name, or more than a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BulkLine {
    /// Just a name, as a JSON string.
    Name(String),
    /// A device with labels or hardware.
    Device(crate::NewDevice),
}

/// What became of one line; one line of the streamed reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkRow {
    /// Which row of the file it was, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The name that was asked for; of an entry of a manifest the identity, `kind:value`.
    pub name: String,
    /// What became of it.
    pub result: BulkResult,
    /// The device, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What became of one device, or one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BulkResult {
    /// It is new.
    Created,
    /// It was there already.
    Existing,
    /// It was refused; the row's problem says why.
    Refused,
}

/// The last line of the reply: without it, the reply is not complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkEnd {
    /// Always true.
    pub done: bool,
    /// How many are new.
    pub created: u64,
    /// How many were there already.
    pub existing: u64,
    /// How many were refused.
    pub refused: u64,
}

fn one() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_or_a_device() {
        let line: BulkLine = serde_json::from_str("\"press-1\"").unwrap();
        assert_eq!(line, BulkLine::Name("press-1".into()));
        let line: BulkLine =
            serde_json::from_str(r#"{"name":"press-2","labels":{"region":"north"}}"#).unwrap();
        let BulkLine::Device(device) = line else {
            panic!("{line:?}");
        };
        assert_eq!(device.labels["region"], "north");
        assert!(serde_json::from_str::<BulkLine>(r#"{"nam":"press-2"}"#).is_err());
    }
}
