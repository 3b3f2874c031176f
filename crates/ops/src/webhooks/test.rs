use enlist_core::{Operator, RequestId};

use super::deliver::{A_CALL, MOST_BYTES, told};
use super::{event, named, secrets, target};
use crate::outbound::{Call, CallFor, OutboundError, signature_headers};
use crate::{Error, Ops};

/// How a test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTested {
    /// Why it did not go well; `None` where it did.
    pub error: Option<String>,
}

impl Ops {
    /// Sends `body` to a webhook at once, signed as its events are, and says how it went.
    ///
    /// # Errors
    /// When it is not there, or `who` is no administrator.
    pub async fn test_webhook(
        &self,
        who: &Operator,
        tenant: String,
        name: String,
        body: Vec<u8>,
    ) -> Result<WebhookTested, Error> {
        let (teller, now) = (who.clone(), self.now());
        let webhook = self
            .inner
            .store
            .read("test_webhook", move |tx| {
                named(tx, &teller, &tenant, &name).map(|(_, webhook)| webhook)
            })
            .await?;
        let secrets = secrets(&webhook, self.inner.authorities.wrapping(), now)?;
        let id = RequestId::new(&*self.inner.clock, &*self.inner.rng);
        let call = Call {
            of: CallFor::Webhook,
            target: target(&webhook),
            headers: signature_headers(&secrets, &id.to_string(), now, &body),
            body,
            timeout: A_CALL,
            most_bytes: MOST_BYTES,
        };
        let places = self.inner.teller.places(webhook.tenant);
        let outcome = match tokio::time::timeout(A_CALL, places.acquire()).await {
            Ok(_place) => self.inner.outbound.call(call).await,
            Err(_) => Err(OutboundError::Crowded),
        };
        let error = told(outcome).err();
        let tested = WebhookTested { error };
        let outcome = tested.error.clone().unwrap_or_else(|| "told".to_owned());
        let event = event("webhook-tested", &webhook, who, now).with("outcome", outcome);
        self.inner
            .store
            .write("webhook_tested", move |tx| {
                tx.append(&event)?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(tested)
    }
}
