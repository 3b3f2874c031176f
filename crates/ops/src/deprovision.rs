//! Back to having a name and nothing else.

use enlist_core::{Actor, Operator, Role};

use crate::devices::DeviceView;
use crate::{DevicePath, Error, Ops, devices, reason, scope, standing};

impl Ops {
    /// Revokes a device's credentials and keeps its name, so that it, or its replacement, can
    /// enroll anew.
    ///
    /// # Errors
    /// When it is not there, or neither active nor suspended.
    pub async fn deprovision(
        &self,
        who: &Operator,
        path: DevicePath,
        reason: Option<String>,
    ) -> Result<DeviceView, Error> {
        let (who, now) = (who.clone(), self.now());
        self.change_standing("deprovision", move |tx| {
            let (tenant, group, device) = scope::device(tx, &who, Role::Operator, &path)?;
            let from = device.state().kind();
            let (device, event) = device.deprovision(Actor::Operator(who.token), now)?;
            devices::save(tx, &device, from)?;
            standing::revoke(tx, &device, now)?;
            tx.append(&reason::on(event, reason.as_deref()))?;
            devices::view(tx, &tenant, &group, device)
        })
        .await
    }
}
