//! What is there before something is stated.

use enlist_core::{
    ConfigurationStatement, ConfigurationTarget, Device, Group, Operator, Role, SigningMethod,
    Subject, Tenant,
};
use enlist_store::Tx;

use super::ruler::Ruler;
use super::{ConfigurationError, Stating};
use crate::{DevicePath, Error, GroupPath, Ops, scope};

/// Configuration as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationPath {
    /// Of which group.
    pub group: GroupPath,
    /// What of it.
    pub of: ConfigurationOf,
}

/// What of a group's configuration a caller means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigurationOf {
    /// The schema.
    Schema,
    /// The values for the group.
    Group,
    /// The values for the device of this name.
    Device(String),
}

/// What is there before something is stated.
pub(super) struct Ground {
    pub(super) path: ConfigurationPath,
    pub(super) tenant: Tenant,
    pub(super) group: Group,
    pub(super) device: Option<Device>,
    pub(super) target: ConfigurationTarget,
    /// The schema that devices are to have.
    pub(super) schema: Option<ConfigurationStatement>,
    /// The group's values that devices are to have.
    pub(super) group_values: Option<ConfigurationStatement>,
    /// The device's own, where it is about a device.
    pub(super) device_values: Option<ConfigurationStatement>,
    /// The number of the newest statement about the target; 0 for none.
    pub(super) newest: u64,
    /// How many statements the group has, about whatever; not counted where it is about one device.
    pub(super) statements: u64,
}

impl Ground {
    /// The schema, to measure with.
    pub(super) fn ruler(&self) -> Result<Ruler, Error> {
        let none = || ConfigurationError::NoSchema {
            group: self.group.name.clone(),
        };
        Ruler::of(self.schema.as_ref().ok_or_else(none)?)
    }

    /// The values that devices are to have of the target.
    pub(super) fn own_values(&self) -> Option<&ConfigurationStatement> {
        match self.target {
            ConfigurationTarget::Schema => None,
            ConfigurationTarget::Group => self.group_values.as_ref(),
            ConfigurationTarget::Device(_) => self.device_values.as_ref(),
        }
    }

    /// Refuses where the caller does not know of the newest statement.
    pub(super) fn expect(&self, stating: Stating) -> Result<(), ConfigurationError> {
        match stating.expects {
            Some(expected) if expected != self.newest => Err(self.conflict()),
            _ => Ok(()),
        }
    }

    pub(super) fn conflict(&self) -> ConfigurationError {
        ConfigurationError::Conflict {
            version: self.newest,
        }
    }

    /// Whether the server signs for the group. A caller who thinks otherwise is told.
    pub(super) fn server_signs(&self, brings_envelope: bool) -> Result<bool, ConfigurationError> {
        let group = self.group.name.clone();
        let method = match self.group.signing.method {
            SigningMethod::Remote if brings_envelope => {
                return Err(ConfigurationError::ServerSigns { group });
            }
            SigningMethod::Remote => return Ok(true),
            SigningMethod::Local => "local",
            SigningMethod::External => "external",
        };
        if brings_envelope {
            Ok(false)
        } else {
            Err(ConfigurationError::OperatorsSign { group, method })
        }
    }

    /// What events are about.
    pub(super) fn subject(&self) -> Subject {
        match &self.device {
            Some(device) => device.subject(),
            None => self.group.subject(),
        }
    }
}

impl Ops {
    /// Looks at what is there.
    pub(super) async fn ground(
        &self,
        who: &Operator,
        path: ConfigurationPath,
        needed: Role,
    ) -> Result<Ground, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("configuration", move |tx| look(tx, &who, &path, needed))
            .await
    }
}

/// Tenant, group and device that `path` names, and what it is about.
pub(super) fn find(
    tx: &mut Tx<'_>,
    who: &Operator,
    path: &ConfigurationPath,
    needed: Role,
) -> Result<(Tenant, Group, Option<Device>, ConfigurationTarget), Error> {
    let ConfigurationOf::Device(device) = &path.of else {
        let (tenant, group) = scope::group(tx, who, needed, &path.group)?;
        let target = match path.of {
            ConfigurationOf::Schema => ConfigurationTarget::Schema,
            _ => ConfigurationTarget::Group,
        };
        return Ok((tenant, group, None, target));
    };
    let path = DevicePath {
        group: path.group.clone(),
        device: device.clone(),
    };
    let (tenant, group, device) = scope::device(tx, who, needed, &path)?;
    let target = ConfigurationTarget::Device(device.id);
    Ok((tenant, group, Some(device), target))
}

fn look(
    tx: &mut Tx<'_>,
    who: &Operator,
    path: &ConfigurationPath,
    needed: Role,
) -> Result<Ground, Error> {
    let (tenant, group, device, target) = find(tx, who, path, needed)?;
    values_in_force(tx, path.clone(), (tenant, group, device), target)
}

/// What is stated that devices are to have.
pub(super) fn values_in_force(
    tx: &mut Tx<'_>,
    path: ConfigurationPath,
    (tenant, group, device): (Tenant, Group, Option<Device>),
    target: ConfigurationTarget,
) -> Result<Ground, Error> {
    let (t, g) = (tenant.id, group.id);
    let schema = tx.configuration_up_to(t, g, ConfigurationTarget::Schema, u32::MAX)?;
    let schema_version = schema.as_ref().map_or(0, |one| one.entry.schema_version);
    let mut values = |target| tx.configuration_up_to(t, g, target, schema_version);
    let group_values = values(ConfigurationTarget::Group)?;
    let device_values = match target {
        ConfigurationTarget::Device(_) => values(target)?,
        _ => None,
    };
    let newest = tx.configuration_newest(t, g, target)?;
    let statements = match target {
        ConfigurationTarget::Device(_) => 0,
        ConfigurationTarget::Group | ConfigurationTarget::Schema => {
            tx.count_configurations(t, g)?
        }
    };
    Ok(Ground {
        path,
        tenant,
        group,
        device,
        target,
        schema,
        group_values,
        device_values,
        newest: newest.map_or(0, |entry| entry.version),
        statements,
    })
}
