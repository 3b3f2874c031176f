//! Deleting a manifest.

use enlist_core::{Actor, Event, Operator, Role};

use super::{called, subject};
use crate::{Error, Ops, scope};

/// Entries that are cleared away in one step.
const A_STEP: usize = 2_000;

impl Ops {
    /// Deletes a manifest. Whom it has let in stays in. Its entries are cleared away bit by bit
    /// ([`Ops::clear_manifests`]).
    ///
    /// # Errors
    /// When it is not there, or a secret that is good or a group names it.
    pub async fn delete_manifest(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("delete_manifest", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Operator, &tenant)?;
                let manifest = called(tx, tenant.id, &name)?;
                tx.delete_manifest(tenant.id, manifest.id, now)?;
                let of_a_secret = tx.manifest_bounds_a_secret(tenant.id, manifest.id, now)?;
                let named_by = |zero_touch: &enlist_core::ZeroTouch| zero_touch.manifest;
                let of_a_group = tx
                    .groups(tenant.id)?
                    .iter()
                    .any(|group| group.zero_touch.as_ref().and_then(named_by) == Some(manifest.id));
                if of_a_secret || of_a_group {
                    let name = manifest.name;
                    return Err(Error::ManifestInUse { name });
                }
                let by = Actor::Operator(who.token);
                tx.append(&Event::new("manifest-deleted", subject(&manifest), by, now))?;
                Ok(())
            })
            .await
    }

    /// Clears away a bit of what deleted manifests have left. Safe to run on any number of servers at
    /// once. Returns whether there may be more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clear_manifests(&self) -> Result<bool, Error> {
        self.inner
            .store
            .write("clear_manifests", |tx| {
                Ok(tx.clear_deleted_manifest(A_STEP)?)
            })
            .await
    }
}
