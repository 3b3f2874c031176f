//! What a device is to have.

use enlist_core::{
    ConfigurationEntry, ConfigurationNumbers, ConfigurationTarget, DeviceId, GroupId, TenantId,
    Timestamp,
};
use enlist_store::Tx;
use serde_json::Value;

use crate::Error;

/// Statements that a device does not hold yet, each as it was signed.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationOffer {
    /// The numbers of the statements that should be in force.
    pub numbers: ConfigurationNumbers,
    /// The schema.
    pub schema: Option<Value>,
    /// The group's values.
    pub group: Option<Value>,
    /// The device's own values.
    pub device: Option<Value>,
}

/// What should be in force on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesiredConfiguration {
    /// The statements that it comes of.
    pub numbers: ConfigurationNumbers,
    /// The version of the schema.
    pub schema_version: u32,
    /// When the newest of them was stated.
    pub since: Timestamp,
}

/// Whose configuration it is about.
#[derive(Clone, Copy)]
struct Whose {
    tenant: TenantId,
    group: GroupId,
    device: DeviceId,
}

/// What to offer a device that holds statements up to `holds`.
///
/// Of values, that is the newest statement of a schema version that is not above the schema's: after a
/// step back of the schema, the values of that time count again, as they do on the device.
pub(crate) fn offer(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    group: GroupId,
    device: DeviceId,
    holds: ConfigurationNumbers,
) -> Result<ConfigurationOffer, Error> {
    let whose = Whose {
        tenant,
        group,
        device,
    };
    let Some(found) = look(tx, whose)? else {
        return Ok(ConfigurationOffer::default());
    };
    let mut fetch = |entry: Option<&ConfigurationEntry>, held| match entry {
        Some(entry) if entry.version > held => whose.envelope(tx, entry),
        _ => Ok(None),
    };
    Ok(ConfigurationOffer {
        numbers: found.numbers(),
        schema: fetch(Some(&found.schema), holds.schema)?,
        group: fetch(found.group.as_ref(), holds.group)?,
        device: fetch(found.device.as_ref(), holds.device)?,
    })
}

/// What should be in force on a device; `None` where its group has no schema.
pub(crate) fn desired(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    group: GroupId,
    device: DeviceId,
) -> Result<Option<DesiredConfiguration>, Error> {
    let whose = Whose {
        tenant,
        group,
        device,
    };
    let found = look(tx, whose)?;
    Ok(found.map(|found| {
        let all = [
            Some(&found.schema),
            found.group.as_ref(),
            found.device.as_ref(),
        ];
        let newest = all.into_iter().flatten().map(|entry| entry.at).max();
        DesiredConfiguration {
            numbers: found.numbers(),
            schema_version: found.schema.schema_version,
            since: newest.unwrap_or(found.schema.at),
        }
    }))
}

/// The statements that should be in force.
struct Found {
    schema: ConfigurationEntry,
    group: Option<ConfigurationEntry>,
    device: Option<ConfigurationEntry>,
}

impl Found {
    fn numbers(&self) -> ConfigurationNumbers {
        let version = |entry: &Option<ConfigurationEntry>| entry.as_ref().map_or(0, |e| e.version);
        ConfigurationNumbers {
            schema: self.schema.version,
            group: version(&self.group),
            device: version(&self.device),
        }
    }
}

impl Whose {
    fn envelope(self, tx: &mut Tx<'_>, entry: &ConfigurationEntry) -> Result<Option<Value>, Error> {
        let statement = tx.configuration(self.tenant, self.group, entry.target, entry.version)?;
        statement
            .map(|statement| serde_json::from_slice(&statement.envelope))
            .transpose()
            .map_err(|_| Error::Inconsistent("a signed statement on record does not read"))
    }
}

fn look(tx: &mut Tx<'_>, whose: Whose) -> Result<Option<Found>, Error> {
    let Whose {
        tenant,
        group,
        device,
    } = whose;
    let Some(schema) = tx.configuration_newest(tenant, group, ConfigurationTarget::Schema)? else {
        return Ok(None);
    };
    let mut values =
        |target| tx.configuration_entry_up_to(tenant, group, target, schema.schema_version);
    Ok(Some(Found {
        group: values(ConfigurationTarget::Group)?,
        device: values(ConfigurationTarget::Device(device))?,
        schema,
    }))
}
