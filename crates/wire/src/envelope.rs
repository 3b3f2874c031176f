use serde::{Deserialize, Serialize};

/// A signed statement: a DSSE v1.0 envelope, `{"payloadType", "payload", "signatures"}`, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Object))]
pub struct Envelope(pub serde_json::Value);
