//! Values on their way to the server.

use anyhow::Context as _;
use enlist_core::{Clock, DeviceId, Name, SystemClock};
use enlist_signed::{Envelope, Layer, Target};
use enlist_wire::{ApplyConfiguration, Client, ConfigurationApplied};
use serde_json::{Map, Value};

use crate::cli::Global;

/// Values that are to be stated for a group, or for one device of it.
#[derive(Debug)]
pub struct ValuesDraft<'a> {
    pub tenant: &'a Name,
    pub group: &'a Name,
    pub device: Option<&'a Name>,
    pub values: Map<String, Value>,
    /// The newest statement that the caller knows of.
    pub expects: Option<u64>,
}

impl ValuesDraft<'_> {
    /// Has the server check and compare them.
    pub fn try_out(&self, client: &Client) -> anyhow::Result<ConfigurationApplied> {
        self.send(
            client,
            &ApplyConfiguration {
                values: Some(self.values.clone()),
                expects: self.expects,
                dry_run: true,
                envelope: None,
            },
        )
    }

    /// States them, signed here where the operators sign.
    pub fn state(self, global: &Global, client: &Client) -> anyhow::Result<ConfigurationApplied> {
        if !global.signing.is_own() {
            let request = ApplyConfiguration {
                values: Some(self.values.clone()),
                expects: self.expects,
                ..ApplyConfiguration::default()
            };
            return self.send(client, &request);
        }
        let (tenant, group) = (self.tenant.as_str(), self.group.as_str());
        let keys = client.signing(tenant, group)?.keys;
        let signer = global.signing.signer(&keys)?;
        let tried = self.try_out(client)?;
        let (true, Some(signer)) = (tried.changed, signer) else {
            return Ok(tried);
        };
        let layer = Layer {
            tenant: self.tenant.clone(),
            group: self.group.clone(),
            target: self.target(client)?,
            version: tried.version,
            schema_version: tried.schema_version,
            values: self.values.clone(),
            at: SystemClock.now(),
        };
        let envelope = Envelope::seal(&layer, &*signer).context("the values were not signed")?;
        let request = ApplyConfiguration {
            envelope: Some(enlist_wire::Envelope(envelope.to_value())),
            expects: self.expects,
            ..ApplyConfiguration::default()
        };
        self.send(client, &request)
    }

    /// What they are called in a sentence.
    pub fn what(&self) -> String {
        match self.device {
            Some(device) => format!("configuration of device `{device}`"),
            None => format!("configuration of group `{}`", self.group),
        }
    }

    /// For whom they are.
    pub(super) fn target(&self, client: &Client) -> anyhow::Result<Target> {
        let Some(device) = self.device else {
            return Ok(Target::Group);
        };
        let device = client.device(self.tenant.as_str(), self.group.as_str(), device.as_str())?;
        Ok(Target::Device(DeviceId::from_bytes(
            *device.device_id.as_bytes(),
        )))
    }

    fn send(
        &self,
        client: &Client,
        request: &ApplyConfiguration,
    ) -> anyhow::Result<ConfigurationApplied> {
        let (tenant, group) = (self.tenant.as_str(), self.group.as_str());
        let device = self.device.map(Name::as_str);
        Ok(client.apply_configuration(tenant, group, device, request)?)
    }
}
