//! Values for a device that is about to be: checked and signed before it is there, recorded with it.

use std::sync::Arc;

use enlist_config::{Change, diff};
use enlist_core::{
    Actor, ConfigurationStatement, ConfigurationTarget, Device, DeviceId, Group, Name, Tenant,
};
use enlist_store::Tx;
use serde_json::Value;

use super::ground::values_in_force;
use super::record::{Above, Draft, event};
use super::{ConfigurationError, ConfigurationOf, ConfigurationPath, Fields, MAX_VALUES};
use crate::{Error, GroupPath, Ops};

/// Values for one device, checked and signed.
pub(crate) struct Given {
    statement: ConfigurationStatement,
    changes: Vec<Change>,
    /// What they were checked against.
    above: Above,
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
        let draft = Draft {
            schema_version: ruler.schema_version,
            envelope: self.seal_values(&ground, &ruler, &values).await?,
            body,
            changes: &changes,
            back_to: None,
        };
        Ok(Given {
            statement: draft.stated(&ground, Actor::Server, self.now())?,
            above: Above::of(&ground),
            changes,
        })
    }
}

impl Given {
    /// Records them for the device, which is there by now. False where what they were checked against has
    /// changed.
    pub(crate) fn record(&self, tx: &mut Tx<'_>, device: &Device) -> Result<bool, Error> {
        let (t, g) = (self.statement.tenant, self.statement.group);
        tx.hold_configuration(t, g)?;
        if Above::now(tx, t, g)? != self.above || !tx.insert_configuration(&self.statement)? {
            return Ok(false);
        }
        let entry = &self.statement.entry;
        tx.append(&event(device.subject(), entry, &self.changes, None))?;
        Ok(true)
    }
}
