//! Adding to a manifest.

use enlist_core::{Actor, Event, HardwareIdentity, Manifest, ManifestId, Name, Operator, Role};

use super::{named, subject};
use crate::{Error, Ops, scope};

/// The most entries of a manifest.
const MOST_ENTRIES: u64 = 10_000_000;

impl Ops {
    /// Whether `who` may add to manifests, before a long list is taken. It takes an operator: what is on a
    /// manifest may let devices in.
    ///
    /// # Errors
    /// When `who` may not, or there is no such tenant.
    pub async fn may_add_manifest(&self, who: &Operator, tenant: String) -> Result<(), Error> {
        let who = who.clone();
        self.inner
            .store
            .read("may_add_manifest", move |tx| {
                scope::tenant(tx, &who, Role::Operator, &tenant).map(|_| ())
            })
            .await
    }

    /// Makes sure that there is a manifest of this name.
    ///
    /// # Errors
    /// When `who` may not, or there is no such tenant.
    pub async fn open_manifest(
        &self,
        who: &Operator,
        tenant: String,
        name: Name,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        let id = ManifestId::new(&*self.inner.clock, &*self.inner.rng);
        self.inner
            .store
            .write("open_manifest", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Operator, &tenant)?;
                if tx.manifest_by_name(tenant.id, &name)?.is_some() {
                    return Ok(());
                }
                let manifest = Manifest {
                    id,
                    tenant: tenant.id,
                    name: name.clone(),
                    entries: 0,
                    created_at: now,
                };
                if !tx.insert_manifest(&manifest)? {
                    // Somebody else has made it at this very moment.
                    return Ok(());
                }
                let by = Actor::Operator(who.token);
                tx.append(&Event::new("manifest-created", subject(&manifest), by, now))?;
                Ok(())
            })
            .await
    }

    /// Adds a chunk of entries in one step, with one event for all. Says of each, in the order given,
    /// whether it is new; those that are there already are left as they are.
    ///
    /// # Errors
    /// When there is no such manifest, it would have more than ten million entries, or the store fails; then
    /// none was added.
    pub async fn add_manifest_entries(
        &self,
        who: &Operator,
        tenant: String,
        name: Name,
        entries: Vec<HardwareIdentity>,
    ) -> Result<Vec<bool>, Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .write("add_manifest_entries", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Operator, &tenant)?;
                let manifest = named(tx, tenant.id, &name)?;
                let added = tx.insert_manifest_entries(tenant.id, manifest.id, &entries)?;
                let mut new = entries.iter().zip(&added).filter(|(_, new)| **new);
                if let Some((first, _)) = new.next() {
                    let count = 1 + new.clone().count();
                    if manifest.entries + count as u64 > MOST_ENTRIES {
                        return Err(Error::InvalidRequest(format!(
                            "a manifest has {MOST_ENTRIES} entries at most: put the rest on another one"
                        )));
                    }
                    let (last, _) = new.next_back().unwrap_or((first, &true));
                    let by = Actor::Operator(who.token);
                    let event = Event::new("manifest-extended", subject(&manifest), by, now)
                        .with("count", count)
                        .with("first", first)
                        .with("last", last);
                    tx.append(&event)?;
                }
                Ok(added)
            })
            .await
    }
}
