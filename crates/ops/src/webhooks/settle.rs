//! What a round has brought, on record.

use std::sync::Arc;

use enlist_core::{Pace, PutOff, Timestamp, Webhook};
use enlist_store::Tx;
use tracing::{info, warn};

use super::deliver::Went;
use super::pace::{DOWN, TRIED_FOR, probe, retry};
use super::plan::{Plan, waiting_since};
use super::tell::LEASE;
use crate::{Error, Ops};

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// There may be more to tell.
    GoOn,
    /// Nothing could be told: not before a pause.
    Pause,
    /// Another server tells it, or nobody does any more.
    Lost,
}

impl Ops {
    /// Records what was told, and puts off what was not.
    pub(super) async fn settle_round(&self, plan: Plan, went: Vec<Went>) -> Result<Settled, Error> {
        let mut jitter = [0; 4];
        self.inner.rng.fill(&mut jitter);
        let jitter = u32::from_le_bytes(jitter);
        let (now, server) = (self.now(), self.inner.teller.0);
        let before = plan.webhook.pace.clone();
        let pace = pace(&before, &went, now, jitter);
        let webhook = Webhook {
            told: plan.upto,
            pace: pace.clone(),
            ..plan.webhook.clone()
        };
        say(&webhook, &before);
        let is_back = pace.failing_since.is_none()
            && before
                .failing_since
                .is_some_and(|since| now.since(since) > DOWN);
        let (plan, went) = (Arc::new(plan), Arc::new(went));
        let recorded = self
            .inner
            .store
            .write("settle_webhook", move |tx| {
                if !tx.record_webhook_told(&webhook, &server, now + LEASE)? {
                    return Ok::<_, Error>(false);
                }
                let (tenant, id) = (webhook.tenant, webhook.id);
                for seq in &plan.gone {
                    tx.no_more_put_off(tenant, id, *seq)?;
                }
                for one in &plan.behind {
                    tx.put_off(tenant, id, one)?;
                }
                for one in went.iter() {
                    settle_chain(tx, &webhook, one, now, jitter)?;
                }
                if is_back {
                    tx.hurry_put_off(tenant, id, now)?;
                }
                Ok(true)
            })
            .await?;
        Ok(match (recorded, pace.next_at) {
            (false, _) => Settled::Lost,
            (true, Some(_)) => Settled::Pause,
            (true, None) => Settled::GoOn,
        })
    }
}

fn settle_chain(
    tx: &mut Tx<'_>,
    webhook: &Webhook,
    went: &Went,
    now: Timestamp,
    jitter: u32,
) -> Result<(), Error> {
    let (tenant, id) = (webhook.tenant, webhook.id);
    let device = went.chain.device;
    let (told, left) = went.chain.items.split_at(went.told);
    for item in told {
        if let Some(before) = &item.before {
            tx.no_more_put_off(tenant, id, before.seq)?;
        }
    }
    let mut left = left.iter();
    if let Some(error) = &went.error
        && let Some(item) = left.next()
    {
        let fresh = waiting_since(item.event.seq, device, now);
        let before = item.before.as_ref().unwrap_or(&fresh);
        let attempts = before.attempts.saturating_add(1);
        let is_given_up = now.since(before.since) >= TRIED_FOR;
        if is_given_up {
            warn!(webhook = %webhook.name, seq = before.seq, attempts, error, "an event was given up: `enlist get dead-letters` lists it");
        }
        let put_off = PutOff {
            attempts,
            next_at: Some(now + retry(attempts, jitter)),
            error: Some(error.clone()),
            given_up_at: is_given_up.then_some(now),
            ..before.clone()
        };
        tx.put_off(tenant, id, &put_off)?;
    }
    for item in left {
        if item.before.is_none() {
            tx.put_off(tenant, id, &waiting_since(item.event.seq, device, now))?;
        }
    }
    // Only what has nothing before it that waits is tried next.
    tx.wake_put_off(tenant, id, device, now)?;
    Ok(())
}

/// How the telling goes after this round.
fn pace(before: &Pace, went: &[Went], now: Timestamp, jitter: u32) -> Pace {
    if went.iter().any(|one| one.told > 0) {
        return Pace::default();
    }
    let Some(error) = went.iter().find_map(|one| one.error.clone()) else {
        return before.clone();
    };
    let failures = before.failures.saturating_add(1);
    Pace {
        failures,
        failing_since: before.failing_since.or(Some(now)),
        error: Some(error),
        next_at: Some(now + probe(failures, jitter)),
    }
}

/// Says once that a receiver is down, and once that it is back.
fn say(webhook: &Webhook, before: &Pace) {
    match (&before.error, &webhook.pace.error) {
        (None, Some(error)) => {
            warn!(webhook = %webhook.name, error, "a webhook can't be told: it is tried again");
        }
        (Some(_), None) => info!(webhook = %webhook.name, "a webhook is told again"),
        _ => {}
    }
}
