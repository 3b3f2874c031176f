//! Back to having a name and nothing else.

use enlist_core::{Actor, Device, Landing, Operator, Role};
use enlist_store::Tx;

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
            let (mut device, event) = device.deprovision(Actor::Operator(who.token), now)?;
            announce(tx, &mut device)?;
            devices::save(tx, &device, from)?;
            standing::revoke(tx, &device, now)?;
            tx.append(&reason::on(event, reason.as_deref()))?;
            devices::view(tx, &tenant, &group, device)
        })
        .await
    }
}

/// What a device had proved to be does not bind its name any more, so that a replacement may have it. It
/// is announced as that, so that it also finds back itself, by the group that it came by.
pub(crate) fn announce(tx: &mut Tx<'_>, device: &mut Device) -> Result<(), Error> {
    let Some(proved) = device.attested.take() else {
        return Ok(());
    };
    device.hardware = Some(proved.clone());
    let Some(landing) = tx.landing(device.tenant, device.id)? else {
        return Ok(());
    };
    tx.put_landing(&Landing {
        hardware: Some(proved),
        ..landing
    })?;
    Ok(())
}
