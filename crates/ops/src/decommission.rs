//! Out of service for good.

use enlist_core::{Actor, Farewell, Operator, Role};
use enlist_signed::{Envelope, Order};

use crate::devices::DeviceView;
use crate::{
    DevicePath, Error, Ops, OrderRefusal, delete, devices, order, reason, scope, standing,
};

/// How often a lost race for the order's number is run again before the caller is asked to.
const ATTEMPTS: usize = 4;

impl Ops {
    /// Begins to decommission a device, and orders it to wipe itself: from now on it may only poll, to
    /// learn of it, and hand in its receipt.
    ///
    /// `completed` is for a group whose operators sign by themselves: what [`Ops::draft_order`] gave,
    /// with their signature added.
    ///
    /// # Errors
    /// When it is not there, or neither active nor suspended, or the group's signature is missing.
    pub async fn decommission(
        &self,
        who: &Operator,
        path: DevicePath,
        completed: Option<Envelope>,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        for _ in 0..ATTEMPTS {
            let ground = self.order_ground(who, &path).await?;
            let by = Actor::Operator(who.token);
            // What the state forbids is refused before a wipe is signed.
            ground.device.clone().decommission(by.clone(), self.now())?;
            let envelope = self
                .signed_order(&ground, Order::Wipe, completed.as_ref())
                .await?;
            let (who, path, now) = (who.clone(), path.clone(), self.now());
            let reason = reason.clone();
            let number = ground.number;
            let begun = self
                .inner
                .store
                .write("decommission", move |tx| {
                    let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
                    let from = device.state().kind();
                    let (device, event) = device.decommission(by.clone(), now)?;
                    devices::save(tx, &device, from)?;
                    order::close_all(tx, &device, "the device is being decommissioned", now)?;
                    tx.append(&reason::on(event, reason.as_deref()))?;
                    let wipe = Order::Wipe;
                    order::record(tx, &device, number, wipe, &envelope, by.clone(), now)?
                        .ok_or(OrderRefusal::Overtaken)?;
                    devices::view(tx, &tenant, &group, device)
                })
                .await;
            match begun {
                Err(Error::Order(OrderRefusal::Overtaken)) if completed.is_none() => {}
                Err(error) => return Err(error),
                Ok(view) => {
                    self.inner.doorbell.ring(view.device.id);
                    return Ok(view);
                }
            }
        }
        Err(Error::Busy { retry_after_s: 1 })
    }

    /// Gives up waiting for a decommissioning device: its credentials are revoked, and it
    /// leaves tombstones.
    ///
    /// # Errors
    /// When it is not there, or not being decommissioned.
    pub async fn give_up_on(
        &self,
        who: &Operator,
        path: DevicePath,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.change_standing("give_up_on", move |tx| {
            let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
            let from = device.state().kind();
            let by = Actor::Operator(who.token);
            let (device, event) = device.finish_decommission(Farewell::GivenUp, by, now)?;
            let credential = tx.credential(tenant.id, device.id)?;
            devices::save(tx, &device, from)?;
            delete::bury(tx, &device, credential.as_ref(), now)?;
            standing::revoke(tx, &device, now)?;
            let event = event.with("receipt", "none");
            tx.append(&reason::on(event, reason.as_deref()))?;
            devices::view(tx, &tenant, &group, device)
        })
        .await
    }
}
