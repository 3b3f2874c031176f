use super::tenants::tenant_path;
use super::{Client, ClientError, Path};
use crate::{Manifest, ManifestEntriesQuery, ManifestEntry, Page};

/// Manifests.
impl Client {
    /// The manifests of a tenant.
    pub fn manifests(&self, tenant: &str) -> Result<Page<Manifest>, ClientError> {
        self.get(&tenant_path(tenant).part("manifests").0)
    }

    /// One manifest.
    pub fn manifest(&self, tenant: &str, name: &str) -> Result<Manifest, ClientError> {
        self.get(&manifest_path(tenant, name).0)
    }

    /// One page of a manifest's entries.
    pub fn manifest_entries(
        &self,
        tenant: &str,
        name: &str,
        query: &ManifestEntriesQuery,
    ) -> Result<Page<ManifestEntry>, ClientError> {
        let path = manifest_path(tenant, name)
            .part("entries")
            .query("unused", query.unused.then_some(true))
            .query("after", query.after.as_ref())
            .query("limit", query.limit);
        self.get(&path.0)
    }

    /// Deletes a manifest. Whom it has let in stays in.
    pub fn delete_manifest(&self, tenant: &str, name: &str) -> Result<(), ClientError> {
        self.delete(&manifest_path(tenant, name).0)
    }
}

fn manifest_path(tenant: &str, name: &str) -> Path {
    tenant_path(tenant).part("manifests").part(name)
}
