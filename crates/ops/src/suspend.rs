//! Out of service for a while, and back.

use enlist_core::{Actor, Operator, Role};

use crate::devices::DeviceView;
use crate::{DevicePath, Error, Ops, devices, reason, scope, standing};

impl Ops {
    /// Suspends a device: its certificates go on hold, and its next request is refused.
    ///
    /// # Errors
    /// When it is not there, or not active.
    pub async fn suspend(
        &self,
        who: &Operator,
        path: DevicePath,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.change_standing("suspend", move |tx| {
            let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
            let from = device.state().kind();
            let (device, event) = device.suspend(Actor::Operator(who.token), now)?;
            devices::save(tx, &device, from)?;
            standing::hold(tx, &device, now)?;
            tx.append(&reason::on(event, reason.as_deref()))?;
            devices::view(tx, &tenant, &group, device)
        })
        .await
    }

    /// Lets a suspended device back: its certificates come off hold.
    ///
    /// # Errors
    /// When it is not there, or not suspended.
    pub async fn resume(
        &self,
        who: &Operator,
        path: DevicePath,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.change_standing("resume", move |tx| {
            let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
            let from = device.state().kind();
            let (device, event) = device.resume(Actor::Operator(who.token), now)?;
            devices::save(tx, &device, from)?;
            standing::release(tx, &device, now)?;
            tx.append(&reason::on(event, reason.as_deref()))?;
            devices::view(tx, &tenant, &group, device)
        })
        .await
    }
}
