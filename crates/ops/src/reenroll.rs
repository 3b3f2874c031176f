//! Letting a device that is gone come back, once.

use enlist_core::{
    Actor, Device, DeviceId, Group, Labels, Name, NewDevice, Operator, Role, TombstoneOf,
};

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
                        let (device, event) = device.allow_reenroll(by, now)?;
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
                        tx.delete_tombstones_of(tenant.id, gone)?;
                        let new = fresh(id, &group, name, now);
                        let (device, mut event) = Device::create(new, by);
                        event.kind = "device-reenroll-allowed".into();
                        devices::insert(tx, &device)?;
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
