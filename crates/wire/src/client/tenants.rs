use super::{Client, ClientError, Path};
use crate::{IssuingCa, NewTenant, Page, Tenant, Whoami};

/// Tenants, and who is asking.
impl Client {
    /// Whom the server takes the caller for.
    pub fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get("/v1/whoami")
    }

    /// The tenants that the caller may see.
    pub fn tenants(&self) -> Result<Page<Tenant>, ClientError> {
        self.get("/v1/tenants")
    }

    /// Makes a tenant.
    pub fn create_tenant(&self, tenant: &NewTenant) -> Result<Tenant, ClientError> {
        self.post("/v1/tenants", tenant)
    }

    /// The CA that issues a tenant's device certificates.
    pub fn issuing_ca(&self, tenant: &str) -> Result<IssuingCa, ClientError> {
        self.get(&tenant_path(tenant).part("issuing-ca").0)
    }
}

pub(super) fn tenant_path(tenant: &str) -> Path {
    Path::new("/v1/tenants").part(tenant)
}
