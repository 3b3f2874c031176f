//! Which device files belong to.

use enlist_core::{DeviceId, Name};
use enlist_pki::{Certificate, SubjectName};

/// A device, by its place.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its tenant.
    pub tenant: Name,
    /// Its group.
    pub group: Name,
    /// Its name.
    pub name: Name,
}

impl Owner {
    /// Whether `leaf` is a certificate of this device; if not, what it is instead.
    pub fn check(&self, leaf: &Certificate) -> Result<(), String> {
        let own = format!("{}.{}.{}", self.name, self.group, self.tenant);
        let dns = leaf.names().iter().find_map(|name| match name {
            SubjectName::Dns(dns) => Some(dns.as_str()),
            _ => None,
        });
        // A group's suffix may follow.
        let rest = dns.and_then(|dns| dns.strip_prefix(own.as_str()));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Ok(());
        }
        Err(match dns {
            Some(dns) => format!("the certificate of another device, `{dns}`, and not of `{own}`"),
            None => format!("no certificate of `{own}`"),
        })
    }
}

/// The id in a device's certificate (`urn:uuid:…`).
pub fn device_id(leaf: &Certificate) -> Option<DeviceId> {
    leaf.names().iter().find_map(|name| match name {
        SubjectName::Uri(uri) => uri.strip_prefix("urn:uuid:")?.parse().ok(),
        _ => None,
    })
}
