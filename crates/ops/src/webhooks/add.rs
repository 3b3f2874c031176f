use enlist_core::{Name, Operator, Pace, Role, TenantId, Webhook, WebhookId};

use super::{WebhookAdded, event, list};
use crate::list::is_there;
use crate::outbound::Target;
use crate::{Error, Ops, What, scope};

/// Webhooks that a tenant has at most.
const MOST: usize = 16;

/// A webhook to add.
#[derive(Debug, Clone)]
pub struct AddWebhook {
    /// What it is to be called.
    pub name: String,
    /// Who is told.
    pub target: Target,
    /// The one group whose events it is told; `None` for all.
    pub group: Option<String>,
    /// The kinds of events that it is told; `None` for all.
    pub kinds: Option<Vec<String>>,
}

impl Ops {
    /// Adds a webhook. It is told what happens from now on.
    ///
    /// # Errors
    /// When `who` is no administrator, the name is taken, or there is no such group or kind of event.
    pub async fn add_webhook(
        &self,
        who: &Operator,
        tenant: String,
        add: AddWebhook,
    ) -> Result<WebhookAdded, Error> {
        let name: Name = add.name.parse()?;
        let kinds = add.kinds.map(kinds).transpose()?;
        let unusable = |error| Error::InvalidRequest(format!("url: {error}"));
        self.inner.outbound.check(&add.target).map_err(unusable)?;
        let (who, now) = (who.clone(), self.now());
        let (secret, sealed) = self.new_signing_secret()?;
        let webhook = Webhook {
            id: WebhookId::new(&*self.inner.clock, &*self.inner.rng),
            tenant: TenantId::from_bytes([0; 16]),
            name,
            url: add.target.url,
            anchors: add.target.anchors_pem,
            sealed_secret: sealed,
            secret_before: None,
            kinds,
            group: None,
            told: 0,
            pace: Pace::default(),
            created_at: now,
        };
        let view = self
            .inner
            .store
            .write("add_webhook", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Admin, &tenant)?.id;
                // Two that are added at once are counted one after the other.
                tx.hold_tenant(tenant)?;
                let webhook = Webhook {
                    tenant,
                    group: match &add.group {
                        Some(name) => Some(scope::group_in(tx, &who, tenant, name)?.id),
                        None => None,
                    },
                    told: tx.last_seal(tenant)?.map_or(0, |seal| seal.seq),
                    ..webhook.clone()
                };
                if !tx.insert_webhook(&webhook)? {
                    return Err(Error::NameTaken {
                        what: What::Webhook,
                        name: webhook.name,
                    });
                }
                if tx.webhooks(tenant)?.len() > MOST {
                    return Err(Error::InvalidRequest(format!(
                        "a tenant has {MOST} webhooks at most: delete one first"
                    )));
                }
                tx.append(&event("webhook-created", &webhook, &who, now))?;
                list::view(tx, webhook)
            })
            .await?;
        Ok(WebhookAdded { secret, view })
    }
}

fn kinds(mut kinds: Vec<String>) -> Result<Vec<String>, Error> {
    if kinds.is_empty() {
        return Err(Error::InvalidRequest(
            "kinds: name some, or leave them out for all".to_owned(),
        ));
    }
    kinds.iter().try_for_each(|kind| is_there("kinds", kind))?;
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}
