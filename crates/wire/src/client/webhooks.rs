use super::tenants::tenant_path;
use super::{Client, ClientError, Path};
use crate::{
    DeadLetter, DeadLettersQuery, DeadLettersRetried, NewWebhook, Page, RetryDeadLetters, Webhook,
    WebhookSecret, WebhookTested,
};

/// Webhooks.
impl Client {
    /// The webhooks of a tenant, and how their telling goes.
    pub fn webhooks(&self, tenant: &str) -> Result<Page<Webhook>, ClientError> {
        self.get(&tenant_path(tenant).part("webhooks").0)
    }

    /// Makes a webhook.
    pub fn create_webhook(
        &self,
        tenant: &str,
        webhook: &NewWebhook,
    ) -> Result<WebhookSecret, ClientError> {
        self.post(&tenant_path(tenant).part("webhooks").0, webhook)
    }

    /// Deletes a webhook, and what waits for it.
    pub fn delete_webhook(&self, tenant: &str, webhook: &str) -> Result<(), ClientError> {
        self.delete(&path(tenant, webhook).0)
    }

    /// Gives a webhook another signing secret.
    pub fn refresh_webhook(
        &self,
        tenant: &str,
        webhook: &str,
    ) -> Result<WebhookSecret, ClientError> {
        self.post(&path(tenant, webhook).part("refresh").0, &())
    }

    /// Sends a webhook a test.
    pub fn test_webhook(&self, tenant: &str, webhook: &str) -> Result<WebhookTested, ClientError> {
        self.post(&path(tenant, webhook).part("test").0, &())
    }

    /// What a webhook could not be told.
    pub fn dead_letters(
        &self,
        tenant: &str,
        webhook: &str,
        query: &DeadLettersQuery,
    ) -> Result<Page<DeadLetter>, ClientError> {
        let path = path(tenant, webhook)
            .part("dead-letters")
            .query("after", query.after.as_ref())
            .query("limit", query.limit);
        self.get(&path.0)
    }

    /// Has dead letters tried again.
    pub fn retry_dead_letters(
        &self,
        tenant: &str,
        webhook: &str,
        which: &RetryDeadLetters,
    ) -> Result<DeadLettersRetried, ClientError> {
        let path = path(tenant, webhook).part("dead-letters").part("retry");
        self.post(&path.0, which)
    }
}

fn path(tenant: &str, webhook: &str) -> Path {
    tenant_path(tenant).part("webhooks").part(webhook)
}
