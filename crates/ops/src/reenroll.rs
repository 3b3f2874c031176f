//! Letting a device that is gone come back, once.

use enlist_core::{
    Actor, Device, DeviceId, Group, HardwareIdentity, Labels, Landing, Name, NewDevice, Operator,
    Role, Tombstone, TombstoneOf,
};
use enlist_store::Tx;

use crate::deprovision::announce;
use crate::devices::DeviceView;
use crate::{DevicePath, Error, Ops, devices, reason, scope};

impl Ops {
    /// Lets a decommissioned or deleted device enroll again, once: its tombstones are lifted,
    /// and it is there as created. A deleted one gets a new id.
    ///
    /// # Errors
    /// When there is nothing of that name that is gone.
    pub async fn allow_reenroll(
        &self,
        who: &Operator,
        path: DevicePath,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        let id = DeviceId::new(&*self.inner.clock, &*self.inner.rng);
        self.inner
            .store
            .write("allow_reenroll", move |tx| {
                let (tenant, group) = scope::group(tx, &who, Role::Operator, &path.group)?;
                let name: Name = path
                    .device
                    .parse()
                    .map_err(|_| Error::no_device(&group, &path.device))?;
                let by = Actor::Operator(who.token);
                let device = match tx.device_by_name(tenant.id, group.id, &name)? {
                    Some(device) => {
                        let from = device.state().kind();
                        let (mut device, event) = device.allow_reenroll(by, now)?;
                        announce(tx, &mut device)?;
                        tx.delete_tombstones_of(tenant.id, device.id)?;
                        devices::save(tx, &device, from)?;
                        tx.append(&reason::on(event, reason.as_deref()))?;
                        device
                    }
                    None => {
                        let of = TombstoneOf::Name(group.id, name.clone());
                        let (gone, _) = tx
                            .tombstone(tenant.id, &of)?
                            .ok_or_else(|| Error::no_device(&group, &name))?;
                        let left = tx.tombstones_of(tenant.id, gone)?;
                        tx.delete_tombstones_of(tenant.id, gone)?;
                        let mut new = fresh(id, &group, name, now);
                        new.hardware = hardware(&left);
                        let (device, mut event) = Device::create(new, by);
                        event.kind = "device-reenroll-allowed".into();
                        devices::insert(tx, &device)?;
                        restore_landing(tx, &device, &left)?;
                        let event = event.with("before", gone);
                        tx.append(&reason::on(event, reason.as_deref()))?;
                        device
                    }
                };
                devices::view(tx, &tenant, &group, device)
            })
            .await
    }
}

fn fresh(id: DeviceId, group: &Group, name: Name, at: enlist_core::Timestamp) -> NewDevice {
    NewDevice {
        id,
        tenant: group.tenant,
        group: group.id,
        name,
        labels: Labels::new(),
        hardware: None,
        attested: None,
        at,
    }
}

/// What a device that is gone was: what it had proved, else what it had claimed.
fn hardware(left: &[Tombstone]) -> Option<HardwareIdentity> {
    let of_hardware = |tombstone: &Tombstone| match &tombstone.of {
        TombstoneOf::Hardware(identity) => Some(identity.clone()),
        TombstoneOf::Name(..) | TombstoneOf::Key(_) => None,
    };
    let mut known: Vec<_> = left.iter().filter_map(of_hardware).collect();
    known.sort_by_key(|identity| !identity.kind().is_proved());
    known.into_iter().next()
}

/// A device that came by another group, or as another name, finds back by that.
fn restore_landing(tx: &mut Tx<'_>, device: &Device, left: &[Tombstone]) -> Result<(), Error> {
    for tombstone in left {
        let TombstoneOf::Name(entry, name) = &tombstone.of else {
            continue;
        };
        if (*entry, name) == (device.group, &device.name) {
            continue;
        }
        let Some(entry) = tx.group(device.tenant, *entry)? else {
            continue;
        };
        // It was in the other one, where that passes nobody on.
        let is_taken = tx.landed_by_name(device.tenant, entry.id, name)?.is_some();
        if is_taken || !entry.passes_on() {
            continue;
        }
        let is_first = tx.put_landing(&Landing {
            tenant: device.tenant,
            device: device.id,
            entry: entry.id,
            name: Some(name.clone()),
            hardware: device.hardware.clone(),
        })?;
        if !is_first {
            return Err(Error::Busy { retry_after_s: 1 });
        }
    }
    Ok(())
}
