use ureq::http::Method;

use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{AuditKey, ExportQuery};

/// The most bytes of one part of an export, and of a single event. No database holds a text of much more
/// than that, and an event of such a length has to be shown, too: somebody has put it there.
const MAX_PART: u64 = 64 * 1024 * 1024;
const MAX_EVENT: u64 = 2 * 1024 * 1024 * 1024;

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
        let most = if query.limit == Some(1) {
            MAX_EVENT
        } else {
            MAX_PART
        };
        self.call(Method::GET, &path.0, None::<&()>, most)
            .map(|reply| reply.body)
    }

    /// The key that a tenant's record of events is signed with.
    pub fn audit_key(&self, tenant: &str) -> Result<AuditKey, ClientError> {
        self.get(&tenant_path(tenant).part("audit-key").0)
    }
}
