use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{
    Ca, CaAdded, CaRequest, ExportRoot, ImportCa, NewCa, Page, RenewCa, RetireCa, Root,
    RootExported, TakeRootOffline,
};

/// Issuing CAs on their way in and out, and the root on its way out of reach.
impl Client {
    /// The issuing CAs that a tenant has and had, newest first.
    pub fn cas(&self, tenant: &str) -> Result<Page<Ca>, ClientError> {
        self.get(&tenant_path(tenant).part("cas").0)
    }

    /// Makes a tenant's next issuing CA, or the request for one.
    pub fn add_ca(&self, tenant: &str, new: &NewCa) -> Result<CaAdded, ClientError> {
        self.post(&tenant_path(tenant).part("cas").0, new)
    }

    /// Lets a tenant's next issuing CA take over; it comes back.
    pub fn retire_ca(&self, tenant: &str, retire: &RetireCa) -> Result<Ca, ClientError> {
        self.post(&tenant_path(tenant).part("cas").part("retire").0, retire)
    }

    /// Renews a tenant's issuing CA over the key that it has, or makes the request for that.
    pub fn renew_ca(&self, tenant: &str) -> Result<CaAdded, ClientError> {
        let path = tenant_path(tenant).part("cas").part("renew");
        self.post(&path.0, &RenewCa {})
    }

    /// Completes a request with what a root from elsewhere has signed.
    pub fn import_ca(&self, tenant: &str, import: &ImportCa) -> Result<Ca, ClientError> {
        self.post(&tenant_path(tenant).part("cas").part("import").0, import)
    }

    /// The requests of a tenant that wait for a root from elsewhere, oldest first.
    pub fn ca_requests(&self, tenant: &str) -> Result<Page<CaRequest>, ClientError> {
        self.get(&tenant_path(tenant).part("ca-requests").0)
    }

    /// The current root with its key, encrypted.
    pub fn export_root(&self, export: &ExportRoot) -> Result<RootExported, ClientError> {
        self.post("/v1/roots/export", export)
    }

    /// Has the server forget the key of the current root.
    pub fn take_root_offline(&self, proof: &TakeRootOffline) -> Result<Root, ClientError> {
        self.post("/v1/roots/take-offline", proof)
    }
}
