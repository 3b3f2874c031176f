use enlist_core::{Operator, TenantId, WebhookId};

use super::{A_STEP, event, named};
use crate::{Error, Ops};

impl Ops {
    /// Deletes a webhook, and what was put off or given up with it. Servers that are telling it stop
    /// within a second.
    ///
    /// # Errors
    /// When it is not there, or `who` is no administrator.
    pub async fn delete_webhook(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
    ) -> Result<(), Error> {
        let (who, now) = (who.clone(), self.now());
        let (tenant, id) = self
            .inner
            .store
            .write("delete_webhook", move |tx| {
                let (_, webhook) = named(tx, &who, &tenant, &name)?;
                tx.delete_webhook(webhook.tenant, webhook.id)?;
                tx.append(&event("webhook-deleted", &webhook, &who, now))?;
                Ok::<_, Error>((webhook.tenant, webhook.id))
            })
            .await?;
        self.clear_webhook(tenant, id).await
    }

    /// Clears away what deleted webhooks have left, where a server went before it had done so.
    pub(super) async fn clear_webhooks(&self) -> Result<(), Error> {
        loop {
            let left = self
                .inner
                .store
                .read("webhook_to_clear", |tx| {
                    Ok::<_, Error>(tx.webhook_to_clear()?)
                })
                .await?;
            let Some((tenant, id)) = left else {
                return Ok(());
            };
            self.clear_webhook(tenant, id).await?;
        }
    }

    async fn clear_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<(), Error> {
        loop {
            let more = self
                .inner
                .store
                .write("clear_webhook", move |tx| {
                    Ok::<_, Error>(tx.clear_put_off(tenant, id, A_STEP)?)
                })
                .await?;
            if !more {
                return Ok(());
            }
        }
    }
}
