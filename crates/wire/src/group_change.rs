use serde::{Deserialize, Serialize};

use crate::{
    Allocation, CsrExtras, Enrollment, KeyRotation, OnClone, OnHardwareChange, ZeroTouchChange,
};

/// What is to be different about a group; what is left out stays. Body of `PATCH
/// /v1/tenants/{tenant}/groups/{group}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupChange {
    /// Who may enroll into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment: Option<Enrollment>,
    /// Whether two devices that claim the same hardware identity are a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_is_identity: Option<bool>,
    /// What to do when a device seems to have been cloned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_clone: Option<OnClone>,
    /// Whether each renewal is onto a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_rotation: Option<KeyRotation>,
    /// What a device does that finds itself on other hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hardware_change: Option<OnHardwareChange>,
    /// Hours after which a device that nobody approved is gone again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_timeout_h: Option<u32>,
    /// Days after its certificate expired in which a device may still come back by token and key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_window_d: Option<u32>,
    /// Days that a pre-enrolled device may lie unused before its first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_time_d: Option<u32>,
    /// Hours that a certificate lasts where the device asks for nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_h: Option<u32>,
    /// The most hours a device may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_h: Option<u32>,
    /// Whether certificates may also serve TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_auth: Option<bool>,
    /// Appended to `{device}.{group}.{tenant}` in the DNS name; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_suffix: Option<String>,
    /// What becomes of a request that asks for more than a certificate over its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr_extras: Option<CsrExtras>,
    /// What it takes in place of a provisioning secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_touch: Option<ZeroTouchChange>,
    /// How it passes its newcomers on to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
}
