use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{Certificate, CertificatesQuery, Event, EventsQuery, Page};

/// What is on record: certificates and events.
impl Client {
    /// One page of a tenant's certificates.
    pub fn certificates(
        &self,
        tenant: &str,
        query: &CertificatesQuery,
    ) -> Result<Page<Certificate>, ClientError> {
        let path = tenant_path(tenant)
            .part("certificates")
            .query("group", query.group.as_ref())
            .query("device", query.device.as_ref())
            .query("after", query.after.as_ref())
            .query("limit", query.limit);
        self.get(&path.0)
    }

    /// One page of a tenant's events.
    pub fn events(&self, tenant: &str, query: &EventsQuery) -> Result<Page<Event>, ClientError> {
        let path = tenant_path(tenant)
            .part("events")
            .query("group", query.group.as_ref())
            .query("device", query.device.as_ref())
            .query("kind", query.kind.as_ref())
            .query("actor", query.actor.as_ref())
            .query("since", query.since)
            .query("after", query.after.as_ref())
            .query("limit", query.limit);
        self.get(&path.0)
    }
}
