use enlist_core::Operator;

use super::{event, named};
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
        self.inner
            .store
            .write("delete_webhook", move |tx| {
                let (_, webhook) = named(tx, &who, &tenant, &name)?;
                tx.delete_webhook(webhook.tenant, webhook.id)?;
                tx.append(&event("webhook-deleted", &webhook, &who, now))?;
                Ok(())
            })
            .await
    }
}
