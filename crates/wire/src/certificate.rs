use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Time;

/// A certificate on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Certificate {
    /// Serial number, lowercase hexadecimal.
    pub serial: String,
    /// SHA-256 over the DER encoding, lowercase hexadecimal.
    pub fingerprint: String,
    /// The tenant whose CA issued it.
    pub tenant: String,
    /// The group of its device.
    pub group: String,
    /// The name of its device.
    pub device: String,
    /// The id of its device.
    pub device_id: Uuid,
    /// Whether it is good.
    pub status: CertificateStatus,
    /// Valid from.
    pub not_before: Time,
    /// Valid until.
    pub not_after: Time,
    /// When it was revoked or put on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Time>,
    /// Why, in the words of RFC 5280 §5.3.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CertificateStatus {
    /// The device's current one.
    Current,
    /// The one before, until the current one has been used.
    Previous,
    /// Replaced by a newer one that has been used.
    Superseded,
    /// On hold, because its device is suspended.
    Held,
    /// Revoked for good.
    Revoked,
    /// Past its time.
    Expired,
}

/// Which certificates of a tenant to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct CertificatesQuery {
    /// Only those of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only those of the device of this name; needs `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Only those after this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The most to return: 1 to 1000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
