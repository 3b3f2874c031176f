use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Attestation, Binary, DevicePolicy, SecretText, Time};

/// Asks for a certificate for a device that has none. Body of `POST /v1/device/enroll`.
///
/// The device makes key and token and keeps both durably before it asks: asking again with the same
/// key, token and identity yields the same recorded answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrollRequest {
    /// The tenant to enroll into.
    #[serde(default = "default_name")]
    pub tenant: String,
    /// The group to enroll into.
    #[serde(default = "default_name")]
    pub group: String,
    /// The group's provisioning secret, `eps_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// The device's name. Without one, it is found by its hardware identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hardware that the device says it is: a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<Hardware>,
    /// What proves which hardware the device is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// PKCS#10 request over the device's key (RFC 2986), DER.
    pub csr: Binary,
    /// The token that the device made for itself, `edt_…`; goes over this once.
    pub device_token: SecretText,
    /// Hours that the certificate should last; absent means what the group's profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ttl_h: Option<u32>,
}

/// What a device says about its hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hardware {
    /// Where it was read.
    pub kind: HardwareKind,
    /// What was read.
    pub value: String,
}

/// Where a hardware identity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HardwareKind {
    /// The serial number of the product or board.
    Serial,
    /// The UUID that the firmware gives the product.
    Uuid,
    /// The serial number of the system on a chip.
    Soc,
    /// The permanent address of a network card.
    Mac,
    /// The id of the installation, hashed; a copy of the installation has the same.
    Machine,
    /// A random value that the agent made once and keeps.
    Random,
    /// Given by the device's configuration.
    Named,
    /// The endorsement key of a TPM 2.0, SHA-256 of its `SubjectPublicKeyInfo` in hexadecimal: proved, never
    /// claimed.
    TpmEk,
    /// A manufacturer's certificate (IEEE 802.1AR), `manufacturer/serial number`: proved, never claimed.
    Idevid,
}

/// A certificate for a device. Reply to enrollment and renewal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// The device's id.
    pub device_id: Uuid,
    /// The tenant it belongs to.
    pub tenant: String,
    /// The group it belongs to.
    pub group: String,
    /// Its name.
    pub name: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// The CA that issued it, PEM.
    pub issuing_ca: String,
    /// What stands above that CA, PEM, up to the outermost, where a root from outside has signed it.
    /// Where that is so, `root` is not above it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// The installation's root, PEM.
    pub root: String,
    /// Valid from.
    pub not_before: Time,
    /// Valid until.
    pub not_after: Time,
    /// Serial number, lowercase hexadecimal.
    pub serial: String,
    /// When it was issued, which is later than it is valid from. Commands that were given before the
    /// first certificate of a device was issued are of an earlier life of that device. A server that does
    /// not say so is an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Time>,
    /// Keys that may sign commands to the device, PEM: those of its tenant. A device pins them when it
    /// enrolls.
    #[serde(default)]
    pub command_keys: Vec<String>,
    /// How the group wants its devices to go about things.
    #[serde(default)]
    pub policy: DevicePolicy,
}

/// The device has to wait until a person says yes. Reply to enrollment, status 202.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pending {
    /// The device's id.
    pub device_id: Uuid,
    /// Its name.
    pub name: String,
    /// A code that operator and device both see, so that the right device is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Seconds to wait before asking again.
    pub retry_after_s: u64,
}

/// The two ways an enrollment can go well.
#[derive(Clone, Debug, PartialEq)]
pub enum EnrollReply {
    /// The device has its certificate (status 200).
    Enrolled(Box<Enrolled>),
    /// The device has to wait for a person (status 202).
    Pending(Pending),
}

pub(crate) fn default_name() -> String {
    "default".into()
}
