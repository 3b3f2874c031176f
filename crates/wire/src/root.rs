use serde::{Deserialize, Serialize};

use crate::{Envelope, Time};

/// A root of the installation. Item of `GET /v1/roots`, and reply to `POST /v1/roots` and
/// `POST /v1/roots/retire`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Root {
    /// SHA-256 over the DER encoding, lowercase hexadecimal.
    pub fingerprint: String,
    /// How it stands.
    pub standing: RootStanding,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its name and key, certified by the root before it, PEM; the first root has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// Valid until.
    pub not_after: Time,
    /// When it was retired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Time>,
    /// Whether its key is kept offline, so that the server can't sign with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
}

/// How a root stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RootStanding {
    /// Offered to devices; nothing stands under it yet.
    Next,
    /// The installation's CAs stand under it.
    Current,
    /// Nothing stands under it any more.
    Retired,
}

/// Asks for the root that is to follow the current one. Body of `POST /v1/roots`; there is nothing to
/// choose yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewRoot {}

/// Retires the current root in favour of the next one. Body of `POST /v1/roots/retire`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetireRoot {
    /// How many in a hundred of the active devices seen in the last 30 days have to hold the next root:
    /// 0 to 100, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u8>,
    /// Whether to go on where fewer do; those that do not are lost until they are given a new
    /// configuration file.
    #[serde(default)]
    pub force: bool,
}

/// How far the devices of a tenant are with the next root. Reply to
/// `GET /v1/tenants/{tenant}/rollover`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rollover {
    /// The tenant.
    pub tenant: String,
    /// SHA-256 of the next root, lowercase hexadecimal; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The groups that have active devices.
    pub groups: Vec<GroupReadiness>,
    /// The first 1000 active devices that were seen in the last 30 days and do not hold the next root;
    /// only where the query asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<UnreadyDevice>,
}

/// How far the devices of a group are with the next root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupReadiness {
    /// The group.
    pub group: String,
    /// Active devices.
    pub active: u64,
    /// Those of them that were seen in the last 30 days.
    pub seen: u64,
    /// Those of the seen ones that hold the next root.
    pub ready: u64,
    /// Active devices that have never said what they hold.
    pub never_reported: u64,
    /// Whether the group's own signers have approved the next root; absent where the server signs for
    /// the group, and nobody has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
}

/// A device that does not hold the next root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnreadyDevice {
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// When it last reported; absent where it never has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Time>,
}

/// What to count. Query of `GET /v1/tenants/{tenant}/rollover`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct RolloverQuery {
    /// Only this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether to name the devices that are not ready, too.
    #[serde(default)]
    pub missing: bool,
}

/// Says yes to a root for a group that signs its configuration itself. Body of
/// `POST /v1/tenants/{tenant}/groups/{group}/trust`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RootApproval {
    /// The statement, signed with one of the group's keys.
    pub approval: Envelope,
}
