use super::groups::group_path;
use super::{Client, ClientError};
use crate::{NewSecret, Page, RotateSecret, Secret, SecretCreated, Uuid};

/// Provisioning secrets.
impl Client {
    /// The provisioning secrets of a group, without the secrets themselves.
    pub fn secrets(&self, tenant: &str, group: &str) -> Result<Page<Secret>, ClientError> {
        self.get(&group_path(tenant, group).part("secrets").0)
    }

    /// Makes a provisioning secret.
    pub fn create_secret(
        &self,
        tenant: &str,
        group: &str,
        secret: &NewSecret,
    ) -> Result<SecretCreated, ClientError> {
        self.post(&group_path(tenant, group).part("secrets").0, secret)
    }

    /// Replaces a provisioning secret of a group by a new one, with an overlap.
    pub fn rotate_secret(
        &self,
        tenant: &str,
        group: &str,
        rotate: &RotateSecret,
    ) -> Result<SecretCreated, ClientError> {
        let path = group_path(tenant, group).part("secrets").part("rotate");
        self.post(&path.0, rotate)
    }

    /// Takes a provisioning secret back.
    pub fn delete_secret(&self, tenant: &str, group: &str, id: Uuid) -> Result<(), ClientError> {
        let path = group_path(tenant, group).part("secrets");
        self.delete(&path.part(&id.to_string()).0)
    }
}
