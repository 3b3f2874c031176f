//! From the names that a caller gives to what it may see.

use enlist_core::{Device, Group, Name, Operator, Role, Tenant};
use enlist_store::Tx;

use crate::{Error, What};

/// A group as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPath {
    /// The tenant's name.
    pub tenant: String,
    /// The group's name.
    pub group: String,
}

/// A device as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePath {
    /// Its group.
    pub group: GroupPath,
    /// Its name.
    pub device: String,
}

/// The tenant called `name`, where `who` may see it and holds a role that includes `needed`.
/// Somebody else's tenant is not there, as far as `who` can tell.
pub(crate) fn tenant(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    name: &str,
) -> Result<Tenant, Error> {
    let missing = || Error::not_found(What::Tenant, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    let tenant = tx
        .tenant_by_name(&parsed)?
        .filter(|tenant| who.sees(tenant.id))
        .ok_or_else(missing)?;
    allow(who, needed)?;
    Ok(tenant)
}

/// The group at `path`.
pub(crate) fn group(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    path: &GroupPath,
) -> Result<(Tenant, Group), Error> {
    let tenant = tenant(tx, who, needed, &path.tenant)?;
    let missing = || Error::not_found(What::Group, &path.group);
    let name: Name = path.group.parse().map_err(|_| missing())?;
    let group = tx.group_by_name(tenant.id, &name)?.ok_or_else(missing)?;
    Ok((tenant, group))
}

/// The device at `path`.
pub(crate) fn device(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    path: &DevicePath,
) -> Result<(Tenant, Group, Device), Error> {
    let (tenant, group) = group(tx, who, needed, &path.group)?;
    let missing = || Error::no_device(&group, &path.device);
    let name: Name = path.device.parse().map_err(|_| missing())?;
    let device = tx
        .device_by_name(tenant.id, group.id, &name)?
        .ok_or_else(missing)?;
    Ok((tenant, group, device))
}

/// Whether `who` holds a role that includes `needed`.
pub(crate) fn allow(who: &Operator, needed: Role) -> Result<(), Error> {
    if who.role.includes(needed) {
        Ok(())
    } else {
        Err(Error::Forbidden { needed })
    }
}

/// Whether `who` is an administrator of the whole installation.
pub(crate) fn installation(who: &Operator) -> Result<(), Error> {
    allow(who, Role::Admin)?;
    match who.tenant {
        None => Ok(()),
        Some(_) => Err(Error::NotInstallationWide),
    }
}
