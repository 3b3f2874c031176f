//! Keeping out what is tombstoned.

use enlist_core::{DeviceId, Name, TenantId, TombstoneOf};
use enlist_store::Tx;

use crate::Error;

/// Who is told which device has left a tombstone: it may have been in another group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Those that have shown a secret or a proof.
    Proven,
    /// Strangers are told nothing of others.
    Nobody,
}

/// Refuses any of `identities` that is tombstoned, and says which device is to be let back.
pub(crate) fn refuse_buried(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    identities: &[&TombstoneOf],
    tell: Tell,
) -> Result<(), Error> {
    let Some(tombstone) = tx.tombstoned(tenant, identities)? else {
        return Ok(());
    };
    let left_by = match tell {
        Tell::Proven => left_by(tx, tenant, tombstone.device)?,
        Tell::Nobody => None,
    };
    Err(Error::IdentityTombstoned { left_by })
}

/// Name and group by which `enlist allow-reenroll device` finds it.
fn left_by(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    device: DeviceId,
) -> Result<Option<(Name, Name)>, Error> {
    if let Some(device) = tx.device(tenant, device)? {
        let group = tx.group(tenant, device.group)?;
        return Ok(group.map(|group| (device.name, group.name)));
    }
    let mut found = None;
    for tombstone in tx.tombstones_of(tenant, device)? {
        let TombstoneOf::Name(group, name) = tombstone.of else {
            continue;
        };
        let Some(group) = tx.group(tenant, group)? else {
            continue;
        };
        // One that was passed on was in the group that passes nobody on.
        let is_its_own = !group.passes_on();
        found = Some((name, group.name));
        if is_its_own {
            break;
        }
    }
    Ok(found)
}
