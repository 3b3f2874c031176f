//! What a round has brought, on record.

use std::sync::Arc;

use enlist_core::{Pace, PutOff, Timestamp, Webhook};
use enlist_store::Tx;
use tracing::{info, warn};

use super::A_STEP;
use super::deliver::Went;
use super::pace::{A_PAUSE, A_PROBE, DOWN, TRIED_FOR, probe, retry};
use super::plan::{MOST_WAITING, Plan, waiting_since};
use super::tell::LEASE;
use crate::{Error, Ops};

/// Dead letters that are kept for a webhook.
const MOST_DEAD_LETTERS: usize = 10_000;

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
        let (now, server) = (self.now(), self.inner.teller.id);
        let before = plan.webhook.pace.clone();
        let mut pace = pace(&before, &went, now, jitter);
        let tried = |one: &Went| one.told > 0 || one.error.is_some();
        let is_stuck = plan.is_full && pace.failures > 0 && !went.iter().any(tried);
        if is_stuck {
            let next = self.next_put_off(&plan.webhook).await?;
            let (soonest, latest) = (now + A_PAUSE, now + A_PROBE);
            pace.next_at = Some(next.unwrap_or(soonest).clamp(soonest, latest));
        }
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
                let mut is_given_up = false;
                for one in went.iter() {
                    is_given_up |= settle_chain(tx, &webhook, one, now, jitter)?;
                }
                is_given_up |= bound_waiting(tx, &webhook, new_ones(&plan, &went), now)?;
                if is_given_up {
                    bound_dead_letters(tx, &webhook)?;
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

    async fn next_put_off(&self, webhook: &Webhook) -> Result<Option<Timestamp>, Error> {
        let (tenant, id) = (webhook.tenant, webhook.id);
        self.inner
            .store
            .read("next_put_off", move |tx| {
                Ok::<_, Error>(tx.next_put_off(tenant, id)?)
            })
            .await
    }
}

/// Returns whether an event was given up.
fn settle_chain(
    tx: &mut Tx<'_>,
    webhook: &Webhook,
    went: &Went,
    now: Timestamp,
    jitter: u32,
) -> Result<bool, Error> {
    let (tenant, id) = (webhook.tenant, webhook.id);
    let device = went.chain.device;
    let mut is_given_up = false;
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
        is_given_up = now.since(before.since) >= TRIED_FOR;
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
        // Dead letters that are tried again are all due, and so would this one be, again and again.
        tx.line_up_put_off(tenant, id, device, put_off.seq)?;
    }
    for item in left {
        if item.before.is_none() {
            tx.put_off(tenant, id, &waiting_since(item.event.seq, device, now))?;
        }
    }
    // Only what has nothing before it that waits is tried next.
    tx.wake_put_off(tenant, id, device, now)?;
    Ok(is_given_up)
}

/// How many wait since this round.
fn new_ones(plan: &Plan, went: &[Went]) -> usize {
    let fresh = |one: &Went| {
        let left = one.chain.items.iter().skip(one.told);
        left.filter(|item| item.before.is_none()).count()
    };
    plan.behind.len() + went.iter().map(fresh).sum::<usize>()
}

/// Keeps what waits within its bound. Only for what is new something is given up: dead letters that are
/// tried again stay. Returns whether something was.
fn bound_waiting(
    tx: &mut Tx<'_>,
    webhook: &Webhook,
    new: usize,
    now: Timestamp,
) -> Result<bool, Error> {
    let (tenant, id) = (webhook.tenant, webhook.id);
    if new == 0 {
        return Ok(false);
    }
    let waiting = tx.count_put_off(tenant, id, MOST_WAITING + new)?;
    let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
    let count = waiting.saturating_sub(MOST_WAITING);
    if count > 0 {
        warn!(webhook = %webhook.name, count, "too many events wait: those that wait longest were given up");
        tx.give_up_longest(tenant, id, count, now)?;
    }
    Ok(count > 0)
}

/// Keeps what was given up within its bound.
fn bound_dead_letters(tx: &mut Tx<'_>, webhook: &Webhook) -> Result<(), Error> {
    let (tenant, id) = (webhook.tenant, webhook.id);
    let dropped = tx.drop_dead_letters(tenant, id, MOST_DEAD_LETTERS, A_STEP)?;
    if dropped > 0 {
        warn!(webhook = %webhook.name, dropped, "there are too many dead letters: the oldest were dropped");
    }
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
