//! Manifests, and the files that they are made from.

mod csv;
mod json;
mod reader;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use reader::{ManifestFileError, ManifestFormat, ManifestReader, ManifestRow};

use crate::Time;

/// A named set of hardware identities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its id.
    pub manifest_id: Uuid,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them have let a device in that is still there. In a list no more than 10,000 are counted.
    pub used: u64,
    /// Whether there are more, which were not counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_used: bool,
    /// When it was made.
    pub created_at: Time,
}

/// One entry of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestEntry {
    /// `kind:value`.
    pub identity: String,
    /// The device that it has let in, where that is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
}

/// Which entries of a manifest to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ManifestEntriesQuery {
    /// Only those that have let nobody in who is still there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unused: bool,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How to read the file that is added to a manifest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
pub struct ManifestImportQuery {
    /// The one kind of identity to take, where rows have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}
