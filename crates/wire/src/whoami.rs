use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Role;

/// Whom the server takes the caller for. Reply to `GET /v1/whoami`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Whoami {
    /// The API token that was presented.
    pub token_id: Uuid,
    /// Its label.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// The tenant it is good for; absent when it is good for the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The one group it is good for; absent when it is good for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The server's version.
    pub version: String,
}
