use super::tenants::tenant_path;
use super::{Client, ClientError, Path};
use crate::{NewToken, Page, Token, TokenCreated, Uuid};

/// API tokens.
impl Client {
    /// The API tokens of a tenant, without the tokens themselves.
    pub fn tokens(&self, tenant: &str) -> Result<Page<Token>, ClientError> {
        self.get(&tenant_path(tenant).part("tokens").0)
    }

    /// Makes an API token that is good for one tenant.
    pub fn create_token(
        &self,
        tenant: &str,
        token: &NewToken,
    ) -> Result<TokenCreated, ClientError> {
        self.post(&tenant_path(tenant).part("tokens").0, token)
    }

    /// Makes an API token that is good for the whole installation.
    pub fn create_installation_token(&self, token: &NewToken) -> Result<TokenCreated, ClientError> {
        self.post("/v1/tokens", token)
    }

    /// Takes an API token back.
    pub fn delete_token(&self, tenant: &str, id: Uuid) -> Result<(), ClientError> {
        self.delete(&tenant_path(tenant).part("tokens").part(&id.to_string()).0)
    }

    /// The API tokens of the whole installation, without the tokens themselves.
    pub fn installation_tokens(&self) -> Result<Page<Token>, ClientError> {
        self.get("/v1/tokens")
    }

    /// Takes an API token of the whole installation back.
    pub fn delete_installation_token(&self, id: Uuid) -> Result<(), ClientError> {
        self.delete(&Path::new("/v1/tokens").part(&id.to_string()).0)
    }
}
