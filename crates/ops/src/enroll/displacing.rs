//! A device that waits, and has shown neither a secret nor a proof, stands in nobody's way who has.

use enlist_core::{Actor, Device, DeviceId, StateKind, TenantId, Timestamp};
use enlist_store::Tx;

use crate::{Error, approve};

/// The waiting devices that give way to a newcomer.
#[derive(Debug, Clone, Default)]
pub(super) struct Displacing {
    /// Whether the newcomer has a secret or a proof that counts.
    pub(super) may: bool,
    devices: Vec<DeviceId>,
}

impl Displacing {
    /// The newcomer's own application, from before it had anything to show.
    pub(super) fn own(&mut self, device: &Device) {
        self.devices.push(device.id);
    }

    pub(super) fn has(&self, device: DeviceId) -> bool {
        self.devices.contains(&device)
    }

    /// Whether this device gives way; it is among them from then on.
    pub(super) fn set_aside(&mut self, tx: &mut Tx<'_>, device: &Device) -> Result<bool, Error> {
        if self.has(device.id) {
            return Ok(true);
        }
        let gives_way = self.may && is_stranger(tx, device)?;
        if gives_way {
            self.devices.push(device.id);
        }
        Ok(gives_way)
    }

    /// Turns them away, in the transaction that records who comes in their place. False where one of them
    /// has been let in by now.
    pub(super) fn turn_away(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        for id in &self.devices {
            let Some(device) = tx.device(tenant, *id)? else {
                continue;
            };
            if !is_stranger(tx, &device)? {
                return Ok(false);
            }
            let event = device.clone().reject(Actor::Server, now)?;
            approve::turn_away(tx, &device, &event.with("reason", "displaced"))?;
        }
        Ok(true)
    }
}

/// Whether it waits, and has brought neither a secret nor a proof.
fn is_stranger(tx: &mut Tx<'_>, device: &Device) -> Result<bool, Error> {
    if device.state().kind() != StateKind::Pending {
        return Ok(false);
    }
    let application = tx.application(device.tenant, device.id)?;
    Ok(application.is_some_and(|application| application.unproven.is_some()))
}
