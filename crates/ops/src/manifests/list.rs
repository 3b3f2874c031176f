//! What manifests there are, and who is on them.

use enlist_core::{Manifest, ManifestEntry, Operator, Role, TenantId};
use enlist_store::Tx;

use super::called;
use crate::list::next;
use crate::{Error, Listed, Ops, scope};

/// Uses of each manifest that are counted for a list.
const MOST_COUNTED: usize = 10_000;

/// A manifest as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestView {
    /// The manifest.
    pub manifest: Manifest,
    /// How many of its entries have let a device in that is still there.
    pub used: u64,
    /// Whether there are more, which were not counted.
    pub more_used: bool,
}

impl Ops {
    /// The manifests of a tenant. Of each, 10,000 uses are counted, and no more.
    ///
    /// # Errors
    /// When the tenant is not there.
    pub async fn manifests(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<Vec<ManifestView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("manifests", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let manifests = tx.manifests(tenant.id)?;
                let views = manifests.into_iter();
                views
                    .map(|one| view(tx, tenant.id, one, MOST_COUNTED))
                    .collect()
            })
            .await
    }

    /// One manifest.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn manifest(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<ManifestView, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("manifest", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let manifest = called(tx, tenant.id, &name)?;
                view(tx, tenant.id, manifest, usize::MAX)
            })
            .await
    }

    /// A page of a manifest's entries, from behind `after`, in the order of their texts; `unused`: only
    /// those that have let nobody in who is still there.
    ///
    /// # Errors
    /// When the manifest is not there.
    pub async fn manifest_entries(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
        unused: bool,
        after: Option<String>,
        limit: usize,
    ) -> Result<Listed<ManifestEntry, String>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("manifest_entries", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let manifest = called(tx, tenant.id, &name)?;
                let after = after.as_deref().unwrap_or_default();
                let (tenant, id) = (tenant.id, manifest.id);
                let items = tx.manifest_entries(tenant, id, unused, after, limit)?;
                let next = next(&items, limit, |entry| entry.identity.to_string());
                Ok(Listed { items, next })
            })
            .await
    }
}

fn view(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    manifest: Manifest,
    most: usize,
) -> Result<ManifestView, Error> {
    let found = tx.count_manifest_uses(tenant, manifest.id, most.saturating_add(1))?;
    let used = found.min(most as u64);
    Ok(ManifestView {
        manifest,
        used,
        more_used: found > used,
    })
}
