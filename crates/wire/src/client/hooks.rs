use super::groups::group_path;
use super::tenants::tenant_path;
use super::{Client, ClientError};
use crate::{Hook, HookSecret, HookTested, NewHook, Page, RefreshHook};

/// Hooks.
impl Client {
    /// The hooks of a tenant's groups.
    pub fn hooks(&self, tenant: &str) -> Result<Page<Hook>, ClientError> {
        self.get(&tenant_path(tenant).part("hooks").0)
    }

    /// Gives a group a hook.
    pub fn create_hook(
        &self,
        tenant: &str,
        group: &str,
        hook: &NewHook,
    ) -> Result<HookSecret, ClientError> {
        self.post(&group_path(tenant, group).part("hook").0, hook)
    }

    /// Takes the hook of a group away.
    pub fn delete_hook(&self, tenant: &str, group: &str) -> Result<(), ClientError> {
        self.delete(&group_path(tenant, group).part("hook").0)
    }

    /// Gives a hook another signing secret.
    pub fn refresh_hook(
        &self,
        tenant: &str,
        group: &str,
        request: &RefreshHook,
    ) -> Result<HookSecret, ClientError> {
        let path = group_path(tenant, group).part("hook").part("refresh");
        self.post(&path.0, request)
    }

    /// Asks a hook about a device that there is not.
    pub fn test_hook(&self, tenant: &str, group: &str) -> Result<HookTested, ClientError> {
        self.post(&group_path(tenant, group).part("hook").part("test").0, &())
    }
}
