//! What bounds a newcomer's way in besides who it is: how many, how fast, from where, and which.

use enlist_attest::Attested;
use enlist_core::{
    DeviceId, Group, HardwareIdentity, ManifestId, ProvisioningSecret, SecretRecord, SecretRefusal,
    Timestamp, WithoutProof,
};
use enlist_store::Tx;

use super::Asked;
use crate::{Error, manifests};

/// Whether what a device has proved is on its group's manifest, where that has one. Where it is not, and
/// the group lets devices wait that have proved nothing, it may wait as one of those.
///
/// # Errors
/// When it is not, and may not wait either.
pub(super) fn lists(tx: &mut Tx<'_>, group: &Group, attested: &Attested) -> Result<bool, Error> {
    let Some(policy) = &group.zero_touch else {
        return Ok(true);
    };
    let Some(manifest) = policy.manifest else {
        return Ok(true);
    };
    if tx.manifest_lists(group.tenant, manifest, attested.identity())? {
        return Ok(true);
    }
    match policy.without_proof {
        WithoutProof::Approve => Ok(false),
        WithoutProof::Refuse => Err(Error::AttestationNotOnManifest),
    }
}

/// Whether the manifest that bounds a newcomer's secret or proof, which counts, lets it in, as far as can
/// be told. `device` is the one that was created before.
pub(super) fn look(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
    secret: Option<&SecretRecord>,
    device: Option<DeviceId>,
) -> Result<(), Error> {
    let Some(manifest) = manifest(group, secret) else {
        return Ok(());
    };
    let identity = identity(asked);
    manifests::look(tx, group.tenant, manifest, identity.as_ref(), device).map_err(|error| {
        match (secret, error) {
            (None, Error::SecretBounds(SecretRefusal::NotListed)) => {
                Error::AttestationNotOnManifest
            }
            (_, error) => error,
        }
    })
}

/// Takes the entry by which a newcomer whose secret or proof counts comes in, in the job that records it.
/// One that had the entry before goes on with it. False where the manifest does not let it in, or not any
/// more: [`look`] says why.
pub(super) fn take_entry(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
    secret: Option<&SecretRecord>,
    device: DeviceId,
) -> Result<bool, Error> {
    let Some(manifest) = manifest(group, secret) else {
        return Ok(true);
    };
    match identity(asked) {
        Some(identity) => Ok(tx.use_manifest_entry(group.tenant, manifest, &identity, device)?),
        None => Ok(false),
    }
}

/// The manifest of the secret that was shown; of the group, where hardware stands in for a secret.
fn manifest(group: &Group, secret: Option<&SecretRecord>) -> Option<ManifestId> {
    match (secret, &group.zero_touch) {
        (Some(secret), _) => secret.bounds.manifest,
        (None, Some(policy)) => policy.manifest,
        (None, None) => None,
    }
}

/// By what a device is looked up on a manifest: what it has proved; a claim only where it proves nothing.
fn identity(asked: &Asked) -> Option<HardwareIdentity> {
    asked.attested().or_else(|| asked.hardware.clone())
}

/// Takes note that a secret lets one more device in. False where it is not as it was when it was looked
/// at, or does not let one in any more.
pub(super) fn count_use(
    tx: &mut Tx<'_>,
    secret: &SecretRecord,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.count_secret_use(secret.tenant, secret.id, &secret.bounds, now)?)
}

/// Takes note that a secret has let one more device wait.
pub(super) fn count_application(
    tx: &mut Tx<'_>,
    asked: &Asked,
    group: &Group,
    now: Timestamp,
) -> Result<Option<SecretRecord>, Error> {
    let Some(shown) = &asked.secret else {
        return Ok(None);
    };
    let secret = current(tx, shown, group)?;
    if !count_use(tx, &secret, now)? {
        // Somebody was faster: what stands in the way now.
        current(tx, shown, group)?.admits(now)?;
        return Err(Error::Busy { retry_after_s: 1 });
    }
    Ok(Some(secret))
}

fn current(
    tx: &mut Tx<'_>,
    shown: &ProvisioningSecret,
    group: &Group,
) -> Result<SecretRecord, Error> {
    tx.secret_by_short_id(group.tenant, shown.short_id())?
        .ok_or(Error::SecretWrong)
}
