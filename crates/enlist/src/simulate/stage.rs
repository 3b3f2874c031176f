//! The group that a simulation happens in.

use anyhow::Context as _;
use enlist_core::{Name, Rng, SystemRng, lower_hex};
use enlist_wire::{Client, DevicesQuery, Enrollment, NewGroup, SecretText};

use super::server::Servers;
use crate::context::management_client;
use crate::failure::refused;

/// What the names of groups that a simulation has made begin with.
pub const PREFIX: &str = "sim-";

/// A group of this run's own, with its secret.
pub struct Stage {
    /// The management API.
    pub client: Client,
    /// The tenant.
    pub tenant: Name,
    /// The group.
    pub group: Name,
    /// Its provisioning secret.
    pub secret: SecretText,
}

impl Stage {
    /// Makes the group. A server that has devices beside simulated ones is left alone unless
    /// `others_are_fine`.
    pub fn make(servers: &Servers, others_are_fine: bool) -> anyhow::Result<Self> {
        let client = management_client(&servers.settings)?;
        let tenant = servers.settings.tenant.clone();
        if !others_are_fine {
            refuse_others(&client, &tenant)?;
        }
        let mut random = [0; 4];
        SystemRng.fill(&mut random);
        let name = format!("{PREFIX}{}", lower_hex(&random));
        let mut group = NewGroup::named(name.clone());
        group.enrollment = Enrollment::Open;
        let made = client.create_group(tenant.as_str(), &group)?;
        let secret = made.secret.context("the server made no secret")?.secret;
        Ok(Self {
            client,
            tenant,
            group: name.parse().context("the group's name")?,
            secret,
        })
    }
}

fn refuse_others(client: &Client, tenant: &Name) -> anyhow::Result<()> {
    let one = DevicesQuery {
        limit: Some(1),
        ..DevicesQuery::default()
    };
    for group in client.groups(tenant.as_str())?.items {
        if group.name.starts_with(PREFIX) {
            continue;
        }
        let devices = client.devices(tenant.as_str(), &group.name, &one)?;
        if !devices.items.is_empty() {
            return Err(refused(
                "server-has-devices",
                format!(
                    "group `{}` of this server has devices: a simulation takes what the server has for \
                     them, and fills its record; --yes says that this is meant",
                    group.name
                ),
            ));
        }
    }
    Ok(())
}
