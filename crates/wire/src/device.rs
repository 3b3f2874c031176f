use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{DesiredConfiguration, DeviceOrder, DeviceReport, Envelope, Hardware, Time};

/// Asks for a device. Body of `POST …/groups/{group}/devices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDevice {
    /// Its name, unique in its group.
    pub name: String,
    /// Labels: product type, region, fleet id and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The hardware it will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Hardware>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// Its id.
    pub device_id: Uuid,
    /// The tenant it belongs to.
    pub tenant: String,
    /// The group it belongs to.
    pub group: String,
    /// Its name, unique in its group.
    pub name: String,
    /// Where it stands in its life.
    pub state: DeviceState,
    /// Labels: product type, region, fleet id and the like.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The hardware it is, or claims to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Hardware>,
    /// What its hardware has proved to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Hardware>,
    /// When it was made.
    pub created_at: Time,
    /// When anything about it last changed.
    pub changed_at: Time,
    /// Its current certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateSummary>,
    /// What it waits for, while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingApproval>,
    /// The configuration that should be in force. Told of a single device, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<DesiredConfiguration>,
    /// What it last said of itself. Told of a single device, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<DeviceReport>,
    /// Orders that it has not done with. Told of a single device, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<DeviceOrder>,
    /// When its receipt came in. Told of a single device, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_at: Option<Time>,
}

/// Where a device stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DeviceState {
    /// Known by name; it has no credentials.
    Created,
    /// It asked to enroll and waits for a person to say yes.
    Pending,
    /// Enrolled, with a certificate.
    Active,
    /// Stopped for now; its certificate is on hold.
    Suspended,
    /// Being taken out of service; its receipt is awaited.
    Decommissioning,
    /// Out of service.
    Decommissioned,
    /// A state that a later version of the server knows.
    #[serde(other)]
    Unknown,
}

/// What is worth knowing of a device's current certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateSummary {
    /// Serial number, lowercase hexadecimal.
    pub serial: String,
    /// Valid from.
    pub not_before: Time,
    /// Valid until.
    pub not_after: Time,
    /// Whether it is good.
    pub status: crate::CertificateStatus,
}

/// What a device waits for that asked to enroll into a group with approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingApproval {
    /// The code that the device shows too, so that the right one is approved.
    pub code: String,
    /// When it first asked.
    pub since: Time,
    /// Until when it may be approved; it is gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// From which address it asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The label of the provisioning secret that it has shown; absent where it has shown none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What it says it is, by a proof that nobody who is believed vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproved: Option<String>,
}

/// Body of `POST …/devices/{name}/{suspend|resume|deprovision|decommission|allow-reenroll|approve|reject}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAction {
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With `approve` and `reject`: the code of the application that is meant, as the queue shows it.
    /// Another device may have applied under the name since; that one is left alone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With `decommission`: stop waiting for the device's receipt.
    #[serde(default)]
    pub give_up: bool,
    /// With `decommission`, in a group whose operators sign by themselves: the order to wipe that
    /// `…/orders/draft` gave, with their signature added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
}

/// Which devices of a group to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DevicesQuery {
    /// Only those after this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The most to return: 1 to 1000, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DeviceState>,
}
