//! Webhooks: the server tells others what has happened, at least once, in order for each device.
//!
//! A webhook follows its tenant's sealed chain of events. What can't be told is put off, with all that
//! follows about the same device, and tried again for a day; then it is given up and kept as a dead
//! letter. How far it is stands in the record and is written after the answers, so that a crash tells
//! again rather than never. One server at a time tells a webhook: it holds a lease.

mod add;
mod dead_letters;
mod delete;
mod deliver;
mod list;
mod pace;
mod plan;
mod refresh;
mod settle;
mod tell;
mod test;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::{
    Actor, Event, EventId, Name, Operator, Rng, Role, Subject, Tenant, TenantId, Timestamp, Webhook,
};
use enlist_keys::WrappingKey;
use enlist_store::Tx;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::outbound::{SigningSecret, Target};
use crate::{Error, What, scope};

pub use add::AddWebhook;
pub use dead_letters::{DeadLetter, RetryDeadLetters};
pub use list::WebhookView;
pub use tell::Render;
pub use test::WebhookTested;

/// Events that are moved or cleared away in one step, so that no other write waits for long.
const A_STEP: usize = 2_000;
/// Requests at the same time for the webhooks of one tenant, so that there is room for the others'.
const OF_A_TENANT: usize = 32;

/// Who tells: what this server is called where it holds a lease, and each tenant's places.
pub(crate) struct Teller {
    id: [u8; 16],
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl Teller {
    pub(crate) fn new(rng: &dyn Rng) -> Self {
        let mut id = [0; 16];
        rng.fill(&mut id);
        Self {
            id,
            tenants: Mutex::default(),
        }
    }

    /// The places of a tenant. Those that nobody uses are forgotten.
    fn places(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|id, places| *id == tenant || Arc::strong_count(places) > 1);
        let places = tenants
            .entry(tenant)
            .or_insert_with(|| Arc::new(Semaphore::new(OF_A_TENANT)));
        places.clone()
    }
}

/// A webhook that was added, or given another secret: the one time that the secret is to be had.
#[derive(Debug)]
pub struct WebhookAdded {
    /// `whsec_…`.
    pub secret: SecretString,
    /// What is on record of it.
    pub view: WebhookView,
}

/// An event on its way to a receiver.
#[derive(Debug, Clone)]
pub struct ToTell {
    /// Its tenant.
    pub tenant: Name,
    /// Its place in the tenant's chain.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub event: Event,
    /// What its group is called, where that is still there.
    pub group: Option<Name>,
}

/// The webhook called `name`, where `who` may manage it. A writing job holds it until the commit.
fn named(
    tx: &mut Tx<'_>,
    who: &Operator,
    tenant: &str,
    name: &str,
) -> Result<(Tenant, Webhook), Error> {
    let tenant = scope::tenant(tx, who, Role::Admin, tenant)?;
    let missing = || Error::not_found(What::Webhook, name);
    let parsed: Name = name.parse().map_err(|_| missing())?;
    let webhook = tx.webhook_by_name(tenant.id, &parsed)?;
    Ok((tenant, webhook.ok_or_else(missing)?))
}

/// Something that an operator did to a webhook.
fn event(kind: &'static str, webhook: &Webhook, who: &Operator, now: Timestamp) -> Event {
    let subject = Subject {
        tenant: webhook.tenant,
        group: None,
        device: None,
        name: webhook.name.to_string(),
    };
    Event::new(kind, subject, Actor::Operator(who.token), now).with("webhook", &webhook.name)
}

fn target(webhook: &Webhook) -> Target {
    Target {
        url: webhook.url.clone(),
        anchors_pem: webhook.anchors.clone(),
    }
}

/// The secrets that requests are signed with now, the newest first.
fn secrets(
    webhook: &Webhook,
    wrapping: &WrappingKey,
    now: Timestamp,
) -> Result<Vec<SigningSecret>, Error> {
    let before = webhook.secret_before.as_ref();
    SigningSecret::open_all(wrapping, &webhook.sealed_secret, before, now).map_err(Error::signing)
}
