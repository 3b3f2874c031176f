//! Devices that asked at one group and are in another: found again by how they asked.

use enlist_core::{Device, Group, HardwareIdentity, Landing, Name};
use enlist_store::Tx;

use crate::{Error, zero_touch};

/// The group that a device is in which asks at `asked_at`, and how it asked there before, where that says
/// something else than the record of the device. `None` where it has nothing to do with that group.
pub(super) fn home(
    tx: &mut Tx<'_>,
    device: &Device,
    asked_at: &Group,
    name: Option<&Name>,
) -> Result<Option<(Group, Option<Landing>)>, Error> {
    let is_here = device.group == asked_at.id;
    if is_here && name.is_none_or(|name| *name == device.name) {
        return Ok(Some((asked_at.clone(), None)));
    }
    let landing = tx.landing(device.tenant, device.id)?;
    let landing = landing.filter(|landing| landing.entry == asked_at.id);
    if is_here {
        return Ok(Some((asked_at.clone(), landing)));
    }
    if landing.is_none() {
        return Ok(None);
    }
    let group = tx
        .group(device.tenant, device.group)?
        .ok_or(Error::Inconsistent("a device without a group"))?;
    Ok(Some((group, landing)))
}

/// The device that asked at a group by this name.
pub(super) fn by_name(
    tx: &mut Tx<'_>,
    asked_at: &Group,
    name: &Name,
) -> Result<Option<Device>, Error> {
    if !asked_at.passes_on() {
        return Ok(None);
    }
    match tx.landed_by_name(asked_at.tenant, asked_at.id, name)? {
        Some(id) => Ok(tx.device(asked_at.tenant, id)?),
        None => Ok(None),
    }
}

/// The devices that asked at a group and claimed this hardware.
pub(super) fn by_hardware(
    tx: &mut Tx<'_>,
    asked_at: &Group,
    hardware: &HardwareIdentity,
) -> Result<Vec<Device>, Error> {
    if !asked_at.passes_on() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for id in tx.landed_by_hardware(asked_at.tenant, asked_at.id, hardware)? {
        let device = tx.device(asked_at.tenant, id)?;
        found.extend(device.filter(|device| device.group != asked_at.id));
    }
    Ok(found)
}

/// The device that is to come back as the hardware that it had proved to be, where it came by this group.
pub(super) fn announced(
    tx: &mut Tx<'_>,
    asked_at: &Group,
    proved: &HardwareIdentity,
) -> Result<Option<Device>, Error> {
    zero_touch::that_waits(by_hardware(tx, asked_at, proved)?)
}

/// Whether another device has come by a group with this hardware, where just one may: to be asked after
/// the one that is `device` was recorded and has claimed it.
pub(super) fn is_taken(
    tx: &mut Tx<'_>,
    asked_at: &Group,
    hardware: &HardwareIdentity,
    device: &Device,
) -> Result<bool, Error> {
    if !asked_at.hardware_is_identity {
        return Ok(false);
    }
    if !asked_at.passes_on() && asked_at.id == device.group {
        return Ok(!tx.is_other_by_hardware(device, hardware, None)?);
    }
    let mut others = tx.devices_by_hardware(asked_at.tenant, asked_at.id, hardware)?;
    others.extend(by_hardware(tx, asked_at, hardware)?);
    Ok(others.iter().any(|other| other.id != device.id))
}
