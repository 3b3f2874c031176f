use enlist_core::{Name, Operator, Role, Webhook};
use enlist_store::Tx;

use crate::{Error, Ops, scope};

/// Events that are counted for a list. No more wait, unless dead letters are retried at the same time.
const MOST_COUNTED: usize = 20_000;

/// A webhook with what is worth knowing around it.
#[derive(Debug, Clone)]
pub struct WebhookView {
    /// The webhook.
    pub webhook: Webhook,
    /// The one group whose events it is told, where there is one and it is still there.
    pub group: Option<Name>,
    /// Events that have happened and were not told yet, those of other kinds and groups counted too
    /// until it was found that they are.
    pub behind: u64,
    /// Events that were put off.
    pub waiting: u64,
    /// Events that were given up.
    pub dead_letters: u64,
}

impl Ops {
    /// The webhooks of a tenant, by name.
    ///
    /// # Errors
    /// When `who` is no administrator there.
    pub async fn webhooks(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<Vec<WebhookView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("webhooks", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Admin, &tenant)?;
                let webhooks = tx.webhooks(tenant.id)?;
                webhooks.into_iter().map(|one| view(tx, one)).collect()
            })
            .await
    }
}

pub(super) fn view(tx: &mut Tx<'_>, webhook: Webhook) -> Result<WebhookView, Error> {
    let group = match webhook.group {
        Some(group) => tx.group(webhook.tenant, group)?.map(|group| group.name),
        None => None,
    };
    let newest = tx.last_seal(webhook.tenant)?.map_or(0, |seal| seal.seq);
    let waiting = tx.count_put_off(webhook.tenant, webhook.id, MOST_COUNTED)?;
    let dead_letters = tx.count_dead_letters(webhook.tenant, webhook.id, MOST_COUNTED)?;
    Ok(WebhookView {
        group,
        behind: newest.saturating_sub(webhook.told) + waiting,
        waiting,
        dead_letters,
        webhook,
    })
}
