//! One round of requests.

use std::sync::Arc;
use std::time::Duration;

use enlist_core::Clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tracing::error;

use super::plan::{Chain, Plan};
use super::tell::Render;
use super::{ToTell, secrets, target};
use crate::outbound::{
    Call, CallFor, Outbound, OutboundError, OutboundReply, SigningSecret, Target, signature_headers,
};
use crate::poll::words;
use crate::{Error, Ops};

/// The most time for one request.
pub(super) const A_CALL: Duration = Duration::from_secs(10);
/// What is read of an answer: nothing of it is used, but a connection that is read to the end can be
/// used again.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// Requests to one receiver at the same time.
const AT_ONCE: usize = 16;
/// When a round begins no more requests. With the last of them it ends well within its lease.
const A_ROUND: Duration = Duration::from_secs(15);
/// How often it is looked whether the webhook is still there and this server's.
const A_LOOK: Duration = Duration::from_secs(1);
/// The longest error that is kept, in characters.
const LONGEST_ERROR: usize = 300;

/// How far a chain got.
#[derive(Debug, Clone)]
pub(super) struct Went {
    pub(super) chain: Chain,
    /// So many of its events were told, the first ones.
    pub(super) told: usize,
    /// Why the next one was not, where it was tried.
    pub(super) error: Option<String>,
}

/// What it takes to tell somebody something.
struct Line {
    outbound: Arc<dyn Outbound>,
    clock: Arc<dyn Clock>,
    render: Render,
    target: Target,
    secrets: Vec<SigningSecret>,
    places: Semaphore,
    of_tenant: Arc<Semaphore>,
    until: Instant,
}

impl Ops {
    /// Tells what is planned. `None` where the webhook was deleted or taken over meanwhile: then nothing
    /// is to be recorded.
    pub(super) async fn deliver_round(
        &self,
        plan: &Plan,
        render: &Render,
    ) -> Result<Option<Vec<Went>>, Error> {
        let webhook = &plan.webhook;
        let line = Arc::new(Line {
            outbound: self.inner.outbound.clone(),
            clock: self.inner.clock.clone(),
            render: render.clone(),
            target: target(webhook),
            secrets: secrets(webhook, self.inner.authorities.wrapping(), self.now())?,
            places: Semaphore::new(AT_ONCE),
            of_tenant: self.inner.teller.places(webhook.tenant),
            until: Instant::now() + A_ROUND,
        });
        // Dropping it ends the requests under way.
        let mut chains = JoinSet::new();
        for chain in &plan.chains {
            chains.spawn(tell(line.clone(), chain.clone()));
        }
        let mut look = interval(A_LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.reset();
        let mut went = Vec::with_capacity(plan.chains.len());
        loop {
            tokio::select! {
                done = chains.join_next() => match done {
                    None => return Ok(Some(went)),
                    Some(Ok(one)) => went.push(one),
                    Some(Err(failed)) => {
                        error!(%failed, webhook = %webhook.name, "telling ended badly");
                        return Ok(None);
                    }
                },
                _ = look.tick() => if !self.still_tells(plan).await? {
                    return Ok(None);
                },
            }
        }
    }

    async fn still_tells(&self, plan: &Plan) -> Result<bool, Error> {
        let (tenant, id) = (plan.webhook.tenant, plan.webhook.id);
        let server = self.inner.teller.id;
        self.inner
            .store
            .read("still_tells_webhook", move |tx| {
                Ok::<_, Error>(tx.tells_webhook(tenant, id, &server)?)
            })
            .await
    }
}

async fn tell(line: Arc<Line>, chain: Chain) -> Went {
    let mut told = 0;
    let mut error = None;
    for item in &chain.items {
        // Neither is ever closed.
        let _place = line.places.acquire().await;
        let Ok(_of_tenant) = timeout_at(line.until, line.of_tenant.acquire()).await else {
            break;
        };
        if Instant::now() >= line.until {
            break;
        }
        match line.send(&item.event).await {
            // The receiver was not asked: it has not failed.
            Err(OutboundError::Crowded) => break,
            outcome => error = self::told(outcome).err(),
        }
        if error.is_some() {
            break;
        }
        told += 1;
    }
    Went { chain, told, error }
}

impl Line {
    async fn send(&self, event: &ToTell) -> Result<OutboundReply, OutboundError> {
        let body = (self.render)(event);
        let now = self.clock.now();
        let call = Call {
            of: CallFor::Webhook,
            target: self.target.clone(),
            headers: signature_headers(&self.secrets, &event.id.to_string(), now, &body),
            body,
            timeout: A_CALL,
            most_bytes: MOST_BYTES,
        };
        self.outbound.call(call).await
    }
}

/// Whether a receiver has taken what it was told, or why not. One that says yes at length has said yes.
pub(super) fn told(outcome: Result<OutboundReply, OutboundError>) -> Result<(), String> {
    match outcome {
        Ok(reply) if reply.is_success() => Ok(()),
        Err(OutboundError::TooLarge { status, .. }) if (200..300).contains(&status) => Ok(()),
        Ok(reply) => Err(format!("it answered {}", reply.status)),
        Err(error) => Err(words(&error.to_string(), LONGEST_ERROR)),
    }
}
