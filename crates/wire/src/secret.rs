use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{SecretText, Time};

/// Asks for a provisioning secret. Body of `POST …/groups/{group}/secrets`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSecret {
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Seconds from now until it is good for nothing; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// The most devices it may enroll; absent means any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_devices: Option<u64>,
    /// How many of them within a time; absent means any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<SecretRate>,
    /// The ranges of addresses that they may ask from, such as `10.0.0.0/8`; none means anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The name of the manifest that they have to be on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// So many devices in so long a time: that many at once, and no more than that on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretRate {
    /// How many devices, 1 to 1,000,000.
    pub devices: u32,
    /// In how many seconds, at most 366 days.
    pub per_s: u64,
}

/// Replaces a provisioning secret of a group by a new one with the same label and bounds. Body of
/// `POST …/secrets/rotate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotateSecret {
    /// Which one: its id, its short id or its label. It may be left out where all that are good have the
    /// same label and bounds, or none is good: then the newest that has expired is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Seconds that the one that is replaced stays good; a day where nothing is said.
    #[serde(default = "default_overlap_s")]
    pub overlap_s: u64,
}

/// A new provisioning secret. The secret itself is in this reply and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretCreated {
    /// Its id.
    pub secret_id: Uuid,
    /// What it is for.
    pub label: String,
    /// `eps_…`; shown this once.
    pub secret: SecretText,
    /// When it stops being good for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The most devices it may enroll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_devices: Option<u64>,
    /// How many of them within a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<SecretRate>,
    /// The ranges of addresses that they may ask from; none means anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The name of the manifest that they have to be on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The ids of those in whose place it comes; they stay good for the overlap, where they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Uuid>,
}

/// What may be known about a provisioning secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Secret {
    /// Its id.
    pub secret_id: Uuid,
    /// What it is for.
    pub label: String,
    /// The part of its text that says which one it is.
    pub short_id: String,
    /// Whether it is good.
    pub state: SecretState,
    /// When it was made.
    pub created_at: Time,
    /// When it stops being good for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The most devices it may enroll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_devices: Option<u64>,
    /// How many of them within a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<SecretRate>,
    /// The ranges of addresses that they may ask from; none means anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The name of the manifest that they have to be on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// How many devices it has ever let in.
    pub used: u64,
}

/// Whether a provisioning secret is good for enrolling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SecretState {
    /// It enrolls devices.
    Active,
    /// Its time is over.
    Expired,
    /// It has enrolled as many devices as it may.
    UsedUp,
    /// It has enrolled as many devices as it may for now.
    RateReached,
    /// An operator took it back.
    Revoked,
}

impl Default for RotateSecret {
    fn default() -> Self {
        Self {
            secret: None,
            overlap_s: default_overlap_s(),
        }
    }
}

/// How long what is replaced stays good.
pub(crate) fn default_overlap_s() -> u64 {
    86_400
}
