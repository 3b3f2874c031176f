//! Which device files belong to.

use enlist_core::{DeviceId, Name};
use enlist_pki::{Certificate, SubjectName};

/// A device, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let dns = dns(leaf);
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

    /// The same device where `leaf` says it is, if it came by the group `came_by`, which has passed it on.
    pub fn passed_on(&self, leaf: &Certificate, came_by: Option<&Name>) -> Self {
        let there = named(leaf).filter(|there| {
            let is_named = [came_by, came_by.and(Some(&there.group))].contains(&Some(&self.group));
            is_named && there.tenant == self.tenant
        });
        there.unwrap_or_else(|| self.clone())
    }
}

/// The device that a certificate names.
fn named(leaf: &Certificate) -> Option<Owner> {
    let mut names = dns(leaf)?.split('.').map(str::parse);
    let mut next = || names.next()?.ok();
    Some(Owner {
        name: next()?,
        group: next()?,
        tenant: next()?,
    })
}

fn dns(leaf: &Certificate) -> Option<&str> {
    leaf.names().iter().find_map(|name| match name {
        SubjectName::Dns(dns) => Some(dns.as_str()),
        _ => None,
    })
}

/// The id in a device's certificate (`urn:uuid:…`).
pub fn device_id(leaf: &Certificate) -> Option<DeviceId> {
    leaf.names().iter().find_map(|name| match name {
        SubjectName::Uri(uri) => uri.strip_prefix("urn:uuid:")?.parse().ok(),
        _ => None,
    })
}
