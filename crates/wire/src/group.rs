use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Allocation, DevicePolicy, Profile, SecretCreated, Time, ZeroTouch};

/// Asks for a group. Body of `POST /v1/tenants/{tenant}/groups`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// Who may enroll into it.
    #[serde(default)]
    pub enrollment: Enrollment,
    /// Whether two devices that claim the same hardware identity are a conflict.
    #[serde(default)]
    pub hardware_is_identity: bool,
    /// What to do when a device seems to have been cloned.
    #[serde(default)]
    pub on_clone: OnClone,
    /// Hours after which a device that nobody approved is gone again; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_timeout_h: Option<u32>,
    /// Days after its certificate expired in which a device may still come back by token and key.
    #[serde(default = "default_recovery_window_d")]
    pub recovery_window_d: u32,
    /// Days that a pre-enrolled device may lie unused before its first start.
    #[serde(default = "default_storage_time_d")]
    pub storage_time_d: u32,
    /// What goes into its certificates.
    #[serde(default)]
    pub profile: Profile,
    /// How its devices go about things.
    #[serde(default)]
    pub policy: DevicePolicy,
    /// Who signs the configuration of its devices.
    #[serde(default)]
    pub signing: Signing,
    /// What it takes in place of a provisioning secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_touch: Option<ZeroTouch>,
    /// How it passes its newcomers on to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
    /// Whether to make its first provisioning secret as well.
    #[serde(default = "yes")]
    pub secret: bool,
}

/// A set of devices in one tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// Its id.
    pub group_id: Uuid,
    /// The tenant it belongs to.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Who may enroll into it.
    pub enrollment: Enrollment,
    /// Whether two devices that claim the same hardware identity are a conflict.
    pub hardware_is_identity: bool,
    /// What to do when a device seems to have been cloned.
    pub on_clone: OnClone,
    /// Hours after which a device that nobody approved is gone again; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_timeout_h: Option<u32>,
    /// Days after its certificate expired in which a device may still come back by token and key.
    pub recovery_window_d: u32,
    /// Days that a pre-enrolled device may lie unused before its first start.
    pub storage_time_d: u32,
    /// What goes into its certificates.
    pub profile: Profile,
    /// How its devices go about things.
    #[serde(default)]
    pub policy: DevicePolicy,
    /// Who signs the configuration of its devices.
    #[serde(default)]
    pub signing: Signing,
    /// What it takes in place of a provisioning secret; absent where nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_touch: Option<ZeroTouch>,
    /// How it passes its newcomers on to others; absent where they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
    /// Whether a hook is asked about each newcomer.
    #[serde(default)]
    pub hook: bool,
    /// When it was made.
    pub created_at: Time,
}

/// A new group, and its provisioning secret if one was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupCreated {
    /// The group.
    pub group: Group,
    /// Its first provisioning secret; shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretCreated>,
}

/// Who may enroll into a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Enrollment {
    /// Only devices that were created before.
    #[default]
    Known,
    /// Whoever brings a provisioning secret; the device is created.
    Open,
    /// Whoever brings a provisioning secret, once a person has said yes.
    Approve,
}

/// What to do when a device seems to have been cloned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OnClone {
    /// Put an event on record.
    #[default]
    Alert,
    /// Suspend the device as well.
    Suspend,
}

/// Who signs the configuration of a group's devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signing {
    /// How it is signed.
    #[serde(default)]
    pub method: SigningMethod,
    /// The public keys that may sign, PEM (`PUBLIC KEY`): one at least, but none with `remote`, where it is
    /// the tenant's, which `GET …/groups/{group}/signing` tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// How configuration is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SigningMethod {
    /// By the server, with the tenant's key.
    #[default]
    Remote,
    /// By the operators, with a key file. The server can't forge it.
    Local,
    /// By the operators, with a command of theirs. The server can't forge it.
    External,
}

impl NewGroup {
    /// A group of this name with every default.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            enrollment: Enrollment::default(),
            hardware_is_identity: false,
            on_clone: OnClone::default(),
            approval_timeout_h: None,
            recovery_window_d: default_recovery_window_d(),
            storage_time_d: default_storage_time_d(),
            profile: Profile::default(),
            policy: DevicePolicy::default(),
            signing: Signing::default(),
            zero_touch: None,
            allocation: None,
            secret: true,
        }
    }
}

fn default_recovery_window_d() -> u32 {
    30
}

fn default_storage_time_d() -> u32 {
    730
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_all_that_a_new_group_needs() {
        let group: NewGroup = serde_json::from_str(r#"{"name":"presses"}"#).unwrap();
        assert_eq!(group, NewGroup::named("presses"));
        assert_eq!(group.profile.lifetime_h, 168);
    }

    #[test]
    fn a_misspelt_field_is_refused_by_name() {
        let error = serde_json::from_str::<NewGroup>(r#"{"name":"presses","enrolment":"open"}"#)
            .unwrap_err();
        assert!(error.to_string().contains("enrolment"), "{error}");
        let error =
            serde_json::from_str::<NewGroup>(r#"{"name":"presses","profile":{"lifetime":1}}"#)
                .unwrap_err();
        assert!(error.to_string().contains("lifetime"), "{error}");
    }
}
