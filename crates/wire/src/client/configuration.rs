use ureq::http::Method;

use super::groups::group_path;
use super::{Client, ClientError, MAX_POLL_REPLY, Path};
use crate::{
    ApplyConfiguration, ApplySchema, Configuration, ConfigurationApplied, ConfigurationEntry,
    ConfigurationQuery, GroupSchema, HistoryQuery, Page, RollbackRequest, Signing,
};

/// Configuration of devices. Where `device` is `None`, it is the whole group's.
impl Client {
    /// Who signs the configuration of a group's devices, with the public keys, the server's own among
    /// them. Every role may ask.
    pub fn signing(&self, tenant: &str, group: &str) -> Result<Signing, ClientError> {
        self.get(&group_path(tenant, group).part("signing").0)
    }

    /// The schema of a group's configuration.
    pub fn schema(
        &self,
        tenant: &str,
        group: &str,
        version: Option<u64>,
    ) -> Result<GroupSchema, ClientError> {
        self.large(
            schema_path(tenant, group)
                .query("version", version)
                .0
                .as_str(),
        )
    }

    /// States a schema.
    pub fn apply_schema(
        &self,
        tenant: &str,
        group: &str,
        request: &ApplySchema,
    ) -> Result<ConfigurationApplied, ClientError> {
        self.post(&schema_path(tenant, group).0, request)
    }

    /// Goes back to an earlier schema.
    pub fn rollback_schema(
        &self,
        tenant: &str,
        group: &str,
        request: &RollbackRequest,
    ) -> Result<ConfigurationApplied, ClientError> {
        self.post(&schema_path(tenant, group).part("rollback").0, request)
    }

    /// What schemas there were, newest first.
    pub fn schema_history(
        &self,
        tenant: &str,
        group: &str,
        query: &HistoryQuery,
    ) -> Result<Page<ConfigurationEntry>, ClientError> {
        self.history_at(schema_path(tenant, group), query)
    }

    /// The values that are stated.
    pub fn configuration(
        &self,
        tenant: &str,
        group: &str,
        device: Option<&str>,
        query: &ConfigurationQuery,
    ) -> Result<Configuration, ClientError> {
        let path = configuration_path(tenant, group, device)
            .query("version", query.version)
            .query("effective", query.effective.then_some(true))
            .query("reveal", query.reveal.then_some(true));
        self.large(&path.0)
    }

    /// States values.
    pub fn apply_configuration(
        &self,
        tenant: &str,
        group: &str,
        device: Option<&str>,
        request: &ApplyConfiguration,
    ) -> Result<ConfigurationApplied, ClientError> {
        self.post(&configuration_path(tenant, group, device).0, request)
    }

    /// Goes back to earlier values.
    pub fn rollback_configuration(
        &self,
        tenant: &str,
        group: &str,
        device: Option<&str>,
        request: &RollbackRequest,
    ) -> Result<ConfigurationApplied, ClientError> {
        let path = configuration_path(tenant, group, device).part("rollback");
        self.post(&path.0, request)
    }

    /// What values there were, newest first.
    pub fn configuration_history(
        &self,
        tenant: &str,
        group: &str,
        device: Option<&str>,
        query: &HistoryQuery,
    ) -> Result<Page<ConfigurationEntry>, ClientError> {
        self.history_at(configuration_path(tenant, group, device), query)
    }

    fn history_at(
        &self,
        path: Path,
        query: &HistoryQuery,
    ) -> Result<Page<ConfigurationEntry>, ClientError> {
        let path = path
            .part("history")
            .query("after", query.after)
            .query("limit", query.limit);
        self.large(&path.0)
    }

    /// A reply with signed statements in it.
    fn large<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None::<&()>, MAX_POLL_REPLY)?
            .read()
    }
}

fn schema_path(tenant: &str, group: &str) -> Path {
    group_path(tenant, group).part("schema")
}

fn configuration_path(tenant: &str, group: &str, device: Option<&str>) -> Path {
    let path = group_path(tenant, group);
    match device {
        Some(device) => path.part("devices").part(device),
        None => path,
    }
    .part("configuration")
}
