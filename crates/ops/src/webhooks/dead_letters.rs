use enlist_core::{Event, EventId, Operator, PutOff};

use super::{A_STEP, event, named};
use crate::{Error, Listed, Ops, What};

/// An event that was given up, after a day of tries.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// How it went.
    pub put_off: PutOff,
    /// The event, where it is still on record.
    pub event: Option<(EventId, Event)>,
}

/// Which of those that were given up are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDeadLetters {
    /// The one at this place in the chain.
    One(u64),
    /// All there are.
    All,
}

impl Ops {
    /// What a webhook could not be told, first things first.
    ///
    /// # Errors
    /// When it is not there, or `who` is no administrator.
    pub async fn dead_letters(
        &self,
        who: &Operator,
        tenant: String,
        webhook: String,
        after: u64,
        limit: usize,
    ) -> Result<Listed<DeadLetter, u64>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("dead_letters", move |tx| {
                let (tenant, webhook) = named(tx, &who, &tenant, &webhook)?;
                let found = tx.dead_letters(tenant.id, webhook.id, after, limit)?;
                let next = found.last().filter(|_| found.len() >= limit);
                let next = next.map(|one| one.seq);
                let mut items = Vec::with_capacity(found.len());
                for put_off in found {
                    let event = tx
                        .sealed_events_after(tenant.id, put_off.seq.saturating_sub(1), 1)?
                        .into_iter()
                        .find(|sealed| sealed.seq == put_off.seq)
                        .map(|sealed| (sealed.id, sealed.event));
                    items.push(DeadLetter { put_off, event });
                }
                Ok(Listed { items, next })
            })
            .await
    }

    /// Tries again what was given up, for another day. What was told about the same devices meanwhile
    /// has overtaken it. Returns how many there are.
    ///
    /// # Errors
    /// When the webhook or the one dead letter is not there, or `who` is no administrator.
    pub async fn retry_dead_letters(
        &self,
        who: &Operator,
        tenant: String,
        webhook: String,
        which: RetryDeadLetters,
    ) -> Result<u64, Error> {
        let now = self.now();
        let seq = match which {
            RetryDeadLetters::One(seq) => Some(seq),
            RetryDeadLetters::All => None,
        };
        let mut all = 0;
        loop {
            let (who, tenant, webhook) = (who.clone(), tenant.clone(), webhook.clone());
            let is_first = all == 0;
            let retried = self
                .inner
                .store
                .write("retry_dead_letters", move |tx| {
                    let (tenant, webhook) = named(tx, &who, &tenant, &webhook)?;
                    let retried = tx.retry_dead_letters(tenant.id, webhook.id, seq, now, A_STEP)?;
                    if let (Some(seq), 0) = (seq, retried) {
                        return Err(Error::not_found(What::DeadLetter, seq));
                    }
                    if retried > 0 || is_first {
                        let event = event("dead-letters-retried", &webhook, &who, now);
                        tx.append(&event.with("count", retried))?;
                    }
                    Ok(retried)
                })
                .await?;
            all += retried;
            if retried < A_STEP as u64 {
                return Ok(all);
            }
        }
    }
}
