//! Manifests: named sets of hardware identities, and whom they let in.

mod delete;
mod import;
mod list;

use enlist_core::{
    DeviceId, HardwareIdentity, Manifest, ManifestId, Name, SecretRefusal, Subject, TenantId,
};
use enlist_store::Tx;

pub use list::ManifestView;

use crate::{Error, What};

/// Whether a manifest lets a device in, as far as can be told before it is recorded. `device` is the
/// one that is there already, where there is one.
///
/// # Errors
/// That it is not on the manifest, or came second to its entry.
pub(crate) fn look(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    manifest: ManifestId,
    identity: Option<&HardwareIdentity>,
    device: Option<DeviceId>,
) -> Result<(), Error> {
    let identity = identity.ok_or(SecretRefusal::NotListed)?;
    match tx.manifest_use(tenant, manifest, identity)? {
        None => Err(SecretRefusal::NotListed.into()),
        Some(Some(other)) if Some(other) != device => Err(SecretRefusal::EntryUsed.into()),
        Some(_) => Ok(()),
    }
}

/// The manifest called `name`. A job that writes holds it until the commit, so that it can be named by
/// what the job records.
///
/// # Errors
/// When it is not there.
pub(crate) fn named(tx: &mut Tx<'_>, tenant: TenantId, name: &Name) -> Result<Manifest, Error> {
    tx.manifest_by_name(tenant, name)?
        .ok_or_else(|| Error::not_found(What::Manifest, name))
}

/// As [`named`], of a name that anybody may have written.
pub(crate) fn called(tx: &mut Tx<'_>, tenant: TenantId, name: &str) -> Result<Manifest, Error> {
    match name.parse() {
        Ok(name) => named(tx, tenant, &name),
        Err(_) => Err(Error::not_found(What::Manifest, name)),
    }
}

/// What a manifest is called, where it is still there.
///
/// # Errors
/// When the store fails.
pub(crate) fn name_of(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    manifest: ManifestId,
) -> Result<Option<Name>, Error> {
    Ok(tx.manifest(tenant, manifest)?.map(|manifest| manifest.name))
}

fn subject(manifest: &Manifest) -> Subject {
    Subject {
        tenant: manifest.tenant,
        group: None,
        device: None,
        name: manifest.name.to_string(),
    }
}
