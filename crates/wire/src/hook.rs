use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::default_overlap_s;
use crate::{SecretText, Time};

/// Asks for a hook. Body of `POST /v1/tenants/{tenant}/groups/{group}/hook`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewHook {
    /// Where it is asked: `https://host[:port][/path][?query]`.
    pub url: String,
    /// The CAs that its certificate is believed by, PEM; absent means those of the server's system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The most milliseconds for an answer: 100 to 10000. Without an answer nobody gets in.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u32,
}

/// The hook of a group, which is asked about each newcomer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hook {
    /// The group.
    pub group: String,
    /// Where it is asked.
    pub url: String,
    /// Whether it is believed by CAs of its own.
    pub own_ca: bool,
    /// The most milliseconds for an answer.
    pub timeout_ms: u32,
    /// Until when requests are signed with the secret before, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Time>,
    /// When it was made.
    pub created_at: Time,
}

/// A hook with its signing secret, which is in this reply and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookSecret {
    /// The hook.
    pub hook: Hook,
    /// `whsec_…`, with which requests to it are signed; shown this once.
    pub secret: SecretText,
}

/// Asks for another signing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshHook {
    /// Seconds in which requests are signed with the old one, too; a day where nothing is said.
    #[serde(default = "default_overlap_s")]
    pub overlap_s: u64,
}

impl Default for RefreshHook {
    fn default() -> Self {
        Self {
            overlap_s: default_overlap_s(),
        }
    }
}

/// How a test of a hook went: its answer about a device that there is not, or why there was none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookTested {
    /// What it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<HookAnswer>,
    /// Why there was no answer, or why no device would be let in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a hook has answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookAnswer {
    /// Whether the device may come in.
    pub allow: bool,
    /// Why, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a device that is refused is told the reason.
    pub tell: bool,
    /// The group that it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it is to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The labels that it is given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Configuration of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub configuration: Option<Map<String, Value>>,
}

fn default_timeout_ms() -> u32 {
    5000
}
