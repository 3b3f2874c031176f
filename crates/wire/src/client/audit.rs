use ureq::http::Method;

use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{AuditKey, ExportQuery};

/// The most bytes of one part of an export.
const MAX_PART: u64 = 64 * 1024 * 1024;

/// The record of events, for auditors.
impl Client {
    /// A part of a tenant's record of events: lines of JSON, as they are to be kept. It takes the role
    /// operator.
    pub fn export_events(&self, tenant: &str, query: &ExportQuery) -> Result<Vec<u8>, ClientError> {
        let path = tenant_path(tenant)
            .part("events")
            .part("export")
            .query("since", query.since)
            .query("limit", query.limit);
        self.call(Method::GET, &path.0, None::<&()>, MAX_PART)
            .map(|reply| reply.body)
    }

    /// The key that a tenant's record of events is signed with.
    pub fn audit_key(&self, tenant: &str) -> Result<AuditKey, ClientError> {
        self.get(&tenant_path(tenant).part("audit-key").0)
    }
}
