//! What becomes of a device's certificates when something becomes of the device.

use enlist_core::{Credential, Device, Issued, RevocationReason, Standing, Timestamp};
use enlist_store::Tx;

use crate::{Error, order};

/// Puts all that stand on hold.
pub(crate) fn hold(tx: &mut Tx<'_>, device: &Device, now: Timestamp) -> Result<(), Error> {
    tx.set_standing_of_device(device.tenant, device.id, Standing::Held(now), now)?;
    Ok(())
}

/// Takes all that are on hold off it.
pub(crate) fn release(tx: &mut Tx<'_>, device: &Device, now: Timestamp) -> Result<(), Error> {
    tx.set_standing_of_device(device.tenant, device.id, Standing::Good, now)?;
    Ok(())
}

/// Revokes all that are not revoked yet, and forgets the credential, what the device
/// said of itself, and the orders that it has not done with.
pub(crate) fn revoke(tx: &mut Tx<'_>, device: &Device, now: Timestamp) -> Result<(), Error> {
    let revoked = Standing::Revoked {
        at: now,
        reason: RevocationReason::CessationOfOperation,
    };
    tx.set_standing_of_device(device.tenant, device.id, revoked, now)?;
    tx.delete_credential(device.tenant, device.id)?;
    tx.delete_device_report(device.tenant, device.id)?;
    order::close_all(tx, device, "the device's credentials were withdrawn", now)?;
    Ok(())
}

/// Revokes one certificate of `credential` whose place a newer one has taken.
pub(crate) fn supersede(
    tx: &mut Tx<'_>,
    credential: &Credential,
    slot: &Issued,
    now: Timestamp,
) -> Result<(), Error> {
    let superseded = Standing::Revoked {
        at: now,
        reason: RevocationReason::Superseded,
    };
    tx.set_standing(credential.tenant, slot.serial, superseded, now)?;
    Ok(())
}
