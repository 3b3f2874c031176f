//! Values for a device that is about to be: checked and signed before it is there, recorded with it.

use std::sync::Arc;

use enlist_config::{Change, diff};
use enlist_core::{
    Actor, ConfigurationEntry, ConfigurationStatement, ConfigurationTarget, Device, DeviceId,
    Group, Name, Tenant, Timestamp,
};
use enlist_signed::Envelope;
use enlist_store::Tx;
use serde_json::Value;

use super::ground::{Ground, values_in_force};
use super::record::event;
use super::{ConfigurationError, ConfigurationOf, ConfigurationPath, Fields, MAX_VALUES};
use crate::{Error, GroupPath, Ops};

/// Values for one device, checked and signed.
pub(crate) struct Given {
    statement: ConfigurationStatement,
    changes: Vec<Change>,
    /// The newest statements of schema and group that they were checked against.
    against: (u64, u64),
}

impl Ops {
    /// Checks and signs values for a device of `group`, which need not be there yet.
    pub(crate) async fn configuration_given(
        &self,
        tenant: &Tenant,
        group: &Group,
        (id, name): (DeviceId, &Name),
        values: Fields,
    ) -> Result<Given, Error> {
        let path = ConfigurationPath {
            group: GroupPath {
                tenant: tenant.name.to_string(),
                group: group.name.to_string(),
            },
            of: ConfigurationOf::Device(name.to_string()),
        };
        let (of, into) = (tenant.clone(), group.clone());
        let target = ConfigurationTarget::Device(id);
        let ground = self
            .inner
            .store
            .read("configuration_given", move |tx| {
                values_in_force(tx, path.clone(), (of.clone(), into.clone(), None), target)
            })
            .await?;
        let ruler = Arc::new(ground.ruler()?);
        ground.server_signs(false)?;
        let body = Value::Object(values.clone()).to_string();
        if body.len() > MAX_VALUES {
            return Err(ConfigurationError::TooLarge.into());
        }
        let (before, after) = self.compare(&ground, &ruler, &values).await?;
        let changes = diff(&ruler.schema, &before, &after);
        let envelope = self.seal_values(&ground, &ruler, &values).await?.to_json();
        if envelope.len() > Envelope::MAX_LEN {
            return Err(ConfigurationError::TooLarge.into());
        }
        Ok(given(
            &ground,
            ruler.schema_version,
            (body, envelope),
            changes,
            self.now(),
        ))
    }
}

fn given(
    ground: &Ground,
    schema_version: u32,
    (body, envelope): (String, Vec<u8>),
    changes: Vec<Change>,
    at: Timestamp,
) -> Given {
    let version =
        |one: &Option<ConfigurationStatement>| one.as_ref().map_or(0, |one| one.entry.version);
    Given {
        statement: ConfigurationStatement {
            tenant: ground.tenant.id,
            group: ground.group.id,
            entry: ConfigurationEntry {
                target: ground.target,
                version: ground.newest + 1,
                schema_version,
                changes: serde_json::to_string(&changes).expect("changes are JSON"),
                actor: Actor::Server,
                at,
            },
            envelope,
            body,
        },
        against: (version(&ground.schema), version(&ground.group_values)),
        changes,
    }
}

impl Given {
    /// Records them for the device, which is there by now. False where what they were checked against has
    /// changed.
    pub(crate) fn record(&self, tx: &mut Tx<'_>, device: &Device) -> Result<bool, Error> {
        let (t, g) = (self.statement.tenant, self.statement.group);
        tx.hold_configuration(t, g)?;
        let schema = tx.configuration_newest(t, g, ConfigurationTarget::Schema)?;
        let schema_version = schema.as_ref().map_or(0, |one| one.schema_version);
        let group =
            tx.configuration_entry_up_to(t, g, ConfigurationTarget::Group, schema_version)?;
        let now = (
            schema.map_or(0, |one| one.version),
            group.map_or(0, |one| one.version),
        );
        if now != self.against || !tx.insert_configuration(&self.statement)? {
            return Ok(false);
        }
        let entry = &self.statement.entry;
        tx.append(&event(device.subject(), entry, &self.changes, None))?;
        Ok(true)
    }
}
