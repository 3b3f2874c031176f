use super::groups::group_path;
use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{NewRoot, Page, RetireRoot, Rollover, RolloverQuery, Root, RootApproval};

/// Roots on their way in and out.
impl Client {
    /// The roots there are and were, newest first.
    pub fn roots(&self) -> Result<Page<Root>, ClientError> {
        self.get("/v1/roots")
    }

    /// Makes the next root.
    pub fn add_root(&self) -> Result<Root, ClientError> {
        self.post("/v1/roots", &NewRoot {})
    }

    /// Retires the current root; the next one, which is current then, comes back.
    pub fn retire_root(&self, retire: &RetireRoot) -> Result<Root, ClientError> {
        self.post("/v1/roots/retire", retire)
    }

    /// How far a tenant's devices are with the next root.
    pub fn rollover(&self, tenant: &str, query: &RolloverQuery) -> Result<Rollover, ClientError> {
        let path = tenant_path(tenant)
            .part("rollover")
            .query("group", query.group.as_ref())
            .query("missing", query.missing.then_some(true));
        self.get(&path.0)
    }

    /// Hands in a group's own approval of a root.
    pub fn approve_root(
        &self,
        tenant: &str,
        group: &str,
        approval: &RootApproval,
    ) -> Result<(), ClientError> {
        let path = group_path(tenant, group).part("trust");
        self.call(
            ureq::http::Method::POST,
            &path.0,
            Some(approval),
            super::MAX_REPLY,
        )
        .map(drop)
    }
}
