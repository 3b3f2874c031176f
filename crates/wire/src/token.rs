use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{SecretText, Time};

/// Asks for an API token. Body of `POST /v1/tenants/{tenant}/tokens` and `POST /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// Who or what will use it.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// The one group that it is good for; absent for all of the tenant. A token of one group makes tokens of
    /// that group, whether it says so or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Seconds from now until it is good for nothing; absent means never, which a token that expires itself
    /// can't give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

/// A new API token. The token itself is in this reply and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// Its id.
    pub token_id: Uuid,
    /// Who or what will use it.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// The one group that it is good for; absent when it is good for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `eat_…`; shown this once.
    pub token: SecretText,
    /// When it stops being good for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// What may be known about an API token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// Its id.
    pub token_id: Uuid,
    /// Who or what uses it.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// The part of its text that says which one it is.
    pub short_id: String,
    /// The tenant it is good for; absent when it is good for the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The one group that it is good for; absent when it is good for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it stops being good for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// What the holder of an API token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Everything.
    Admin,
    /// Everything about devices.
    Operator,
    /// Creating devices and loading identities on a line.
    Factory,
    /// Looking.
    Viewer,
}
