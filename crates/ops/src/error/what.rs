use std::fmt;

use enlist_core::Group;

use super::Error;

/// What was looked for, or is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A tenant.
    Tenant,
    /// A group.
    Group,
    /// A device.
    Device,
    /// A provisioning secret.
    Secret,
    /// An API token.
    Token,
    /// A CA.
    Ca,
    /// A revocation list.
    Crl,
    /// A manufacturer of hardware.
    Manufacturer,
    /// A manifest.
    Manifest,
    /// A webhook.
    Webhook,
    /// The hook of a group.
    Hook,
    /// An event that a webhook could not be told.
    DeadLetter,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Group => "group",
            Self::Device => "device",
            Self::Secret => "provisioning secret",
            Self::Token => "API token",
            Self::Ca => "CA",
            Self::Crl => "revocation list",
            Self::Manufacturer => "manufacturer",
            Self::Manifest => "manifest",
            Self::Webhook => "webhook",
            Self::Hook => "hook of group",
            Self::DeadLetter => "dead letter",
        })
    }
}

impl Error {
    pub(crate) fn not_found(what: What, name: impl fmt::Display) -> Self {
        let name = told(name);
        Self::NotFound { what, name }
    }

    pub(crate) fn no_device(group: &Group, name: impl fmt::Display) -> Self {
        let (name, group) = (told(name), group.name.clone());
        Self::DeviceNotFound { name, group }
    }
}

/// A name as part of a sentence that a person reads: no control characters, no novels.
fn told(name: impl fmt::Display) -> String {
    let name: String = name.to_string().chars().take(80).collect();
    name.escape_debug().to_string()
}
