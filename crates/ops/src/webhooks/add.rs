use enlist_core::{
    EVENT_KINDS, Name, Operator, Pace, Role, TenantId, Webhook, WebhookId, is_event_kind,
};
use enlist_store::Tx;

use super::{WebhookAdded, event, list};
use crate::outbound::{SigningSecret, Target};
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
        let secret = SigningSecret::generate(&*self.inner.rng);
        let sealed = secret
            .seal(self.inner.authorities.wrapping(), &*self.inner.rng)
            .map_err(Error::signing)?;
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
                let webhook = Webhook {
                    tenant,
                    group: group(tx, tenant, add.group.as_deref())?,
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
        Ok(WebhookAdded {
            secret: secret.to_text(),
            view,
        })
    }
}

fn group(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    name: Option<&str>,
) -> Result<Option<enlist_core::GroupId>, Error> {
    let Some(name) = name else { return Ok(None) };
    let missing = || Error::not_found(What::Group, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    let group = tx.group_by_name(tenant, &parsed)?.ok_or_else(missing)?;
    Ok(Some(group.id))
}

fn kinds(mut kinds: Vec<String>) -> Result<Vec<String>, Error> {
    if kinds.is_empty() {
        return Err(Error::InvalidRequest(
            "kinds: name some, or leave them out for all".to_owned(),
        ));
    }
    if let Some(unknown) = kinds.iter().find(|kind| !is_event_kind(kind)) {
        let unknown: String = unknown.chars().take(80).collect();
        return Err(Error::InvalidRequest(format!(
            "kinds: there are no events of the kind `{}`; there are {}",
            unknown.escape_debug(),
            EVENT_KINDS.join(", ")
        )));
    }
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}
