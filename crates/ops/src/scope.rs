//! From the names that a caller gives to what it may see.

use enlist_core::{Device, Group, GroupId, Name, Operator, Role, Tenant, TenantId};
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

/// What of the installation an operation is about, for who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The whole installation.
    Installation,
    /// What belongs to a tenant and to no group.
    Tenant,
    /// What belongs to a group; or to a tenant, where a token of one group is shown its part.
    Group,
}

/// Whether `who` may do at all what takes `role` (any, if `None`) and reaches so far. What it may do it
/// to is each operation's own question.
///
/// # Errors
/// When it may not.
pub fn admit(who: &Operator, role: Option<Role>, reach: Reach) -> Result<(), Error> {
    if let Some(role) = role {
        allow(who, role)?;
    }
    match reach {
        Reach::Installation if who.tenant.is_some() => Err(Error::NotInstallationWide),
        Reach::Tenant => whole_tenant(who),
        Reach::Installation | Reach::Group => Ok(()),
    }
}

/// The tenant called `name`, where `who` may see it and holds a role that includes `needed`, for what is
/// the whole tenant's. Somebody else's tenant is not there, as far as `who` can tell.
pub(crate) fn tenant(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    name: &str,
) -> Result<Tenant, Error> {
    let (tenant, _) = part(tx, who, needed, name)?;
    whole_tenant(who)?;
    Ok(tenant)
}

/// The same for what a token of one group may see its part of: the caller shows no more than what
/// belongs to the group that comes with it.
pub(crate) fn part(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    name: &str,
) -> Result<(Tenant, Option<GroupId>), Error> {
    let missing = || Error::not_found(What::Tenant, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    let tenant = tx
        .tenant_by_name(&parsed)?
        .filter(|tenant| who.sees(tenant.id))
        .ok_or_else(missing)?;
    allow(who, needed)?;
    Ok((tenant, who.group))
}

/// The group at `path`. To a token of another one it is not there.
pub(crate) fn group(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    path: &GroupPath,
) -> Result<(Tenant, Group), Error> {
    let (tenant, _) = part(tx, who, needed, &path.tenant)?;
    let group = group_in(tx, who, tenant.id, &path.group)?;
    Ok((tenant, group))
}

/// The group called `name` of a tenant that `who` may see.
pub(crate) fn group_in(
    tx: &mut Tx<'_>,
    who: &Operator,
    tenant: TenantId,
    name: &str,
) -> Result<Group, Error> {
    let missing = || Error::not_found(What::Group, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    tx.group_by_name(tenant, &parsed)?
        .filter(|group| who.sees_group(group.id))
        .ok_or_else(missing)
}

/// The device at `path`.
pub(crate) fn device(
    tx: &mut Tx<'_>,
    who: &Operator,
    needed: Role,
    path: &DevicePath,
) -> Result<(Tenant, Group, Device), Error> {
    let (tenant, group) = group(tx, who, needed, &path.group)?;
    let device = device_in(tx, &group, &path.device)?;
    Ok((tenant, group, device))
}

/// The device called `name` of a group.
pub(crate) fn device_in(tx: &mut Tx<'_>, group: &Group, name: &str) -> Result<Device, Error> {
    let missing = || Error::no_device(group, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    tx.device_by_name(group.tenant, group.id, &parsed)?
        .ok_or_else(missing)
}

/// Whether `who` holds a role that includes `needed`.
pub(crate) fn allow(who: &Operator, needed: Role) -> Result<(), Error> {
    if who.role.includes(needed) {
        Ok(())
    } else {
        Err(Error::Forbidden { needed })
    }
}

/// Whether `who` may touch what other groups of its tenant share.
pub(crate) fn whole_tenant(who: &Operator) -> Result<(), Error> {
    match who.group {
        None => Ok(()),
        Some(_) => Err(Error::NotTenantWide),
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
