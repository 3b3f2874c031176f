//! Taking a device off the record.

use enlist_core::{
    Actor, Credential, Device, Operator, Role, StateKind, Timestamp, Tombstone, TombstoneOf,
};
use enlist_store::Tx;

use crate::{DevicePath, Error, Ops, devices, scope, standing};

impl Ops {
    /// Deletes a device. One that is in service is deprovisioned first, in the same step. What
    /// ever held credentials keeps its certificates on record and leaves a tombstone: neither
    /// its name, nor its hardware, nor its key comes back unless an operator allows it once.
    ///
    /// # Errors
    /// When it is not there, or waits for approval or a receipt, or was decommissioned.
    pub async fn delete_device(&self, who: &Operator, path: DevicePath) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.change_standing("delete_device", move |tx| {
            let (tenant, _, mut device) = scope::device(tx, &who, Role::Operator, &path)?;
            let by = Actor::Operator(who.token);
            let credential = tx.credential(tenant.id, device.id)?;
            let mut events = Vec::new();
            if matches!(
                device.state().kind(),
                StateKind::Active | StateKind::Suspended
            ) {
                let from = device.state().kind();
                let (deprovisioned, event) = device.deprovision(by.clone(), now)?;
                devices::save(tx, &deprovisioned, from)?;
                device = deprovisioned;
                events.push(event);
            }
            events.push(device.clone().delete(by, now)?);
            if device.was_enrolled() || credential.is_some() {
                standing::revoke(tx, &device, now)?;
                bury_names(tx, &device, now)?;
                bury(tx, &device, credential.as_ref(), now)?;
            }
            tx.delete_configuration_of(tenant.id, device.group, device.id)?;
            tx.delete_device(tenant.id, device.id)?;
            for event in &events {
                tx.append(event)?;
            }
            Ok(())
        })
        .await
    }
}

/// Leaves tombstones for a device's name, and for where and as what it asks, where that is another.
fn bury_names(tx: &mut Tx<'_>, device: &Device, now: Timestamp) -> Result<(), Error> {
    let of = TombstoneOf::Name(device.group, device.name.clone());
    lay(tx, device, of, now)?;
    let Some(landing) = tx.landing(device.tenant, device.id)? else {
        return Ok(());
    };
    // Also of one that said no name: where it asks has to be found again when it is let back.
    let said = landing.name.unwrap_or_else(|| device.name.clone());
    lay(tx, device, TombstoneOf::Name(landing.entry, said), now)?;
    match landing.hardware {
        Some(hardware) => lay(tx, device, TombstoneOf::Hardware(hardware), now),
        None => Ok(()),
    }
}

/// Leaves tombstones for a device's hardware and keys.
pub(crate) fn bury(
    tx: &mut Tx<'_>,
    device: &Device,
    credential: Option<&Credential>,
    now: Timestamp,
) -> Result<(), Error> {
    for hardware in [&device.hardware, &device.attested].into_iter().flatten() {
        lay(tx, device, TombstoneOf::Hardware(hardware.clone()), now)?;
    }
    let Some(credential) = credential else {
        return Ok(());
    };
    let mut keys = vec![credential.enrolled_key, credential.current.key];
    keys.extend(credential.previous.map(|slot| slot.key));
    keys.sort_unstable_by_key(|key| *key.as_bytes());
    keys.dedup();
    for key in keys {
        lay(tx, device, TombstoneOf::Key(key), now)?;
    }
    Ok(())
}

fn lay(tx: &mut Tx<'_>, device: &Device, of: TombstoneOf, at: Timestamp) -> Result<(), Error> {
    tx.insert_tombstone(&Tombstone {
        tenant: device.tenant,
        of,
        device: device.id,
        at,
    })?;
    Ok(())
}
