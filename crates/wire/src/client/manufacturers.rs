use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{ImportManufacturer, Manufacturer, ManufacturerInFull, Page};

/// Manufacturers whose hardware is believed.
impl Client {
    /// The manufacturers of a tenant.
    pub fn manufacturers(&self, tenant: &str) -> Result<Page<Manufacturer>, ClientError> {
        self.get(&tenant_path(tenant).part("manufacturers").0)
    }

    /// One manufacturer with its CAs.
    pub fn manufacturer(
        &self,
        tenant: &str,
        name: &str,
    ) -> Result<ManufacturerInFull, ClientError> {
        self.get(&tenant_path(tenant).part("manufacturers").part(name).0)
    }

    /// Brings in the CAs of a manufacturer, in place of those that the one of this name has.
    pub fn import_manufacturer(
        &self,
        tenant: &str,
        import: &ImportManufacturer,
    ) -> Result<ManufacturerInFull, ClientError> {
        self.post(&tenant_path(tenant).part("manufacturers").0, import)
    }

    /// Has a manufacturer believed no longer.
    pub fn delete_manufacturer(&self, tenant: &str, name: &str) -> Result<(), ClientError> {
        self.delete(&tenant_path(tenant).part("manufacturers").part(name).0)
    }
}
