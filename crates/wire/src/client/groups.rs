use super::tenants::tenant_path;
use super::{Client, ClientError, Path};
use crate::{Group, GroupChange, GroupCreated, NewGroup, Page};

/// Groups.
impl Client {
    /// The groups of a tenant.
    pub fn groups(&self, tenant: &str) -> Result<Page<Group>, ClientError> {
        self.get(&tenant_path(tenant).part("groups").0)
    }

    /// One group.
    pub fn group(&self, tenant: &str, group: &str) -> Result<Group, ClientError> {
        self.get(&group_path(tenant, group).0)
    }

    /// Makes a group, and its first provisioning secret unless that is not wanted.
    pub fn create_group(
        &self,
        tenant: &str,
        group: &NewGroup,
    ) -> Result<GroupCreated, ClientError> {
        self.post(&tenant_path(tenant).part("groups").0, group)
    }

    /// Changes a group's rules.
    pub fn change_group(
        &self,
        tenant: &str,
        group: &str,
        change: &GroupChange,
    ) -> Result<Group, ClientError> {
        self.patch(&group_path(tenant, group).0, change)
    }

    /// Deletes a group.
    pub fn delete_group(&self, tenant: &str, group: &str) -> Result<(), ClientError> {
        self.delete(&group_path(tenant, group).0)
    }
}

pub(super) fn group_path(tenant: &str, group: &str) -> Path {
    tenant_path(tenant).part("groups").part(group)
}
