//! The server's chore: telling whoever is to be told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use enlist_core::{TenantId, WebhookId, explain};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::warn;

use super::ToTell;
use super::plan::Plan;
use super::settle::Settled;
use crate::{Error, Ops};

/// Writes an event down as receivers get it.
pub type Render = Arc<dyn Fn(&ToTell) -> Vec<u8> + Send + Sync>;

/// How long a server that says nothing more is taken to tell a webhook.
pub(super) const LEASE: Duration = Duration::from_secs(45);
/// How often it is looked whether somebody is to be told something.
const A_LOOK: Duration = Duration::from_millis(500);
/// Webhooks that one server tells at the same time.
const AT_ONCE: usize = 64;
/// How long a webhook is told before it makes room for another one.
const A_TURN: Duration = Duration::from_secs(15);

type Busy = Arc<Mutex<HashSet<WebhookId>>>;

impl Ops {
    /// Tells webhooks what happens, until the future is dropped. Any number of servers may do so.
    pub async fn tell_webhooks(&self, render: Render) {
        if let Err(error) = self.clear_webhooks().await {
            warn!(error = %explain(&error), "what deleted webhooks have left could not be cleared away");
        }
        let mut tick = interval(A_LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let busy = Busy::default();
        let mut telling = JoinSet::new();
        loop {
            tick.tick().await;
            while telling.try_join_next().is_some() {}
            let room = AT_ONCE.saturating_sub(telling.len());
            match self.untold_webhooks().await {
                Ok(found) => {
                    for (tenant, id) in found.into_iter().take(room) {
                        let Some(place) = Place::take(&busy, id) else {
                            continue;
                        };
                        let (ops, render) = (self.clone(), render.clone());
                        telling.spawn(async move {
                            if let Err(error) = ops.tell_webhook(tenant, id, &render).await {
                                warn!(error = %explain(&error), webhook.id = %id, "a webhook could not be told");
                            }
                            drop(place);
                        });
                    }
                }
                Err(error) => warn!(error = %explain(&error), "webhooks could not be looked up"),
            }
        }
    }

    /// Lets other servers go on with the webhooks that this one tells, as it is about to stop.
    ///
    /// # Errors
    /// When the store fails; they take over when the leases end.
    pub async fn leave_webhooks(&self) -> Result<(), Error> {
        let server = self.inner.teller.id;
        self.inner
            .store
            .write("leave_webhooks", move |tx| {
                Ok::<_, Error>(tx.release_webhooks(&server)?)
            })
            .await
    }

    async fn untold_webhooks(&self) -> Result<Vec<(TenantId, WebhookId)>, Error> {
        let (server, now) = (self.inner.teller.id, self.now());
        self.inner
            .store
            .read("webhooks_to_tell", move |tx| {
                Ok::<_, Error>(tx.webhooks_to_tell(&server, now, AT_ONCE)?)
            })
            .await
    }

    /// Tells one webhook, until there is nothing more to tell it now, or another one is due.
    async fn tell_webhook(
        &self,
        tenant: TenantId,
        id: WebhookId,
        render: &Render,
    ) -> Result<(), Error> {
        let server = self.inner.teller.id;
        let begun = Instant::now();
        while begun.elapsed() < A_TURN {
            let now = self.now();
            let leased = self
                .inner
                .store
                .write("lease_webhook", move |tx| {
                    Ok::<_, Error>(tx.lease_webhook(tenant, id, &server, now, now + LEASE)?)
                })
                .await?;
            if !leased {
                return Ok(());
            }
            let plan = self
                .inner
                .store
                .read("plan_webhook", move |tx| {
                    Plan::make(tx, tenant, id, &server, now)
                })
                .await?;
            let Some(plan) = plan else { return Ok(()) };
            if plan.is_empty() {
                break;
            }
            let Some(went) = self.deliver_round(&plan, render).await? else {
                return Ok(());
            };
            match self.settle_round(plan, went).await? {
                Settled::GoOn => {}
                Settled::Pause => break,
                Settled::Lost => return Ok(()),
            }
        }
        let now = self.now();
        self.inner
            .store
            .write("release_webhook", move |tx| {
                Ok::<_, Error>(tx.release_webhook(tenant, id, &server, now)?)
            })
            .await
    }
}

/// A webhook that this server is telling at this moment.
struct Place(Busy, WebhookId);

impl Place {
    fn take(busy: &Busy, id: WebhookId) -> Option<Self> {
        let mut ids = busy.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(id).then(|| Self(busy.clone(), id))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.remove(&self.1);
    }
}
