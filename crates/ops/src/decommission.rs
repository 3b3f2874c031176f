//! Out of service for good.

use enlist_core::{Actor, Farewell, Operator, Role};

use crate::devices::DeviceView;
use crate::{DevicePath, Error, Ops, delete, devices, scope, standing};

impl Ops {
    /// Begins to decommission a device: from now on it may only poll, to learn of it.
    ///
    /// # Errors
    /// When it is not there, or neither active nor suspended.
    pub async fn decommission(
        &self,
        who: &Operator,
        path: DevicePath,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("decommission", move |tx| {
                let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
                let from = device.state().kind();
                let (device, event) = device.decommission(Actor::Operator(who.token), now)?;
                devices::save(tx, &device, from)?;
                tx.append(&event)?;
                devices::view(tx, &tenant, &group, device)
            })
            .await
    }

    /// Gives up waiting for a decommissioning device: its credentials are revoked, and it
    /// leaves tombstones.
    ///
    /// # Errors
    /// When it is not there, or not being decommissioned.
    pub async fn give_up_on(&self, who: &Operator, path: DevicePath) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("give_up_on", move |tx| {
                let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
                let from = device.state().kind();
                let by = Actor::Operator(who.token);
                let (device, event) = device.finish_decommission(Farewell::GivenUp, by, now)?;
                let credential = tx.credential(tenant.id, device.id)?;
                devices::save(tx, &device, from)?;
                delete::bury(tx, &device, credential.as_ref(), now)?;
                standing::revoke(tx, &device, now)?;
                tx.append(&event)?;
                devices::view(tx, &tenant, &group, device)
            })
            .await
    }
}
