use std::time::Duration;

use enlist_core::Operator;

use super::{WebhookAdded, event, list, named};
use crate::{Error, Ops};

/// How long requests carry the signatures of both secrets.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

impl Ops {
    /// Gives a webhook another signing secret. For a day requests are signed with both.
    ///
    /// # Errors
    /// When it is not there, or `who` is no administrator.
    pub async fn refresh_webhook(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<WebhookAdded, Error> {
        let (who, now) = (who.clone(), self.now());
        let (secret, sealed) = self.new_signing_secret()?;
        let view = self
            .inner
            .store
            .write("refresh_webhook", move |tx| {
                let (_, webhook) = named(tx, &who, &tenant, &name)?;
                let until = now + OVERLAP;
                tx.replace_webhook_secret(webhook.tenant, webhook.id, &sealed, until)?;
                tx.append(&event("webhook-secret-replaced", &webhook, &who, now))?;
                list::view(tx, webhook)
            })
            .await?;
        Ok(WebhookAdded { secret, view })
    }
}
