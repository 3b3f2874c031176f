//! The record for auditors, page by page.

use enlist_core::{Operator, Role, Seal, Tenant, explain};
use enlist_signed::Envelope;
use enlist_signed::audit::{Line, Sealed};
use enlist_store::{SealedRecord, StoredHead};
use tracing::warn;

use super::chain::Chain;
use crate::{Error, Ops, scope};

/// Events of one page; at most one head stands among them.
pub(super) const PAGE: u64 = 1_000;
/// How often another server may be quicker.
const ATTEMPTS: usize = 100;

/// A tenant's record on its way out.
pub struct EventExport {
    ops: Ops,
    tenant: Tenant,
    /// Before the first event that is wanted; taken with the first page.
    start: Option<Seal>,
    /// The last event that is out.
    at: u64,
    /// The last event that is wanted.
    until: u64,
    /// A head of the pages so far, with its number, that stands before what comes next.
    head: Option<(u64, Line)>,
    /// What comes after the last one.
    end: Option<Line>,
}

impl Ops {
    /// The events of a tenant after number `since`, in the chain's order and with their seals: `limit` at
    /// most, and else all that there are by now, with a fresh head after the last one. Where the chain is
    /// broken, that is said in the head's place.
    ///
    /// # Errors
    /// When `who` may not, or there is no event `since`.
    pub async fn export_events(
        &self,
        who: &Operator,
        tenant: String,
        since: u64,
        limit: Option<u64>,
    ) -> Result<EventExport, Error> {
        let who = who.clone();
        let tenant = self
            .inner
            .store
            .read("export_events", move |tx| {
                scope::tenant(tx, &who, Role::Viewer, &tenant)
            })
            .await?;
        let chain = self.inner.audit.chain(tenant.id);
        let mut chain = chain.lock().await;
        self.load_chain(&tenant, &mut chain).await?;
        self.seal_all(&tenant, &mut chain).await?;
        let start = self.place(&tenant, since).await?;
        let (until, end) = self.end(&tenant, &mut chain, since, limit).await?;
        Ok(EventExport {
            ops: self.clone(),
            tenant,
            start: Some(start).filter(|start| start.seq > 0),
            at: since,
            until,
            head: None,
            end,
        })
    }

    /// Seals all that is new.
    async fn seal_all(&self, tenant: &Tenant, chain: &mut Chain) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let look = self.look_at_new(tenant, chain).await?;
            if look.next.is_none() && !look.lost {
                break;
            }
        }
        Ok(())
    }

    /// The last event that is wanted, and what comes after it.
    async fn end(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
        since: u64,
        limit: Option<u64>,
    ) -> Result<(u64, Option<Line>), Error> {
        let last = self.last(tenant, chain).await?;
        let last = last.map_or(0, |last| last.seq);
        if let Some(limit) = limit
            && since.saturating_add(limit) < last
        {
            // Over what somebody has deleted, on to what is there: whoever asks has to get ahead.
            let id = tenant.id;
            let first = self
                .inner
                .store
                .read("export_gap", move |tx| {
                    Ok::<_, Error>(tx.sealed_records(id, (since, last), 1)?)
                })
                .await?;
            if let Some(first) = first.first() {
                return Ok((first.seal.seq.max(since + limit), None));
            }
        }
        let (last, head) = self.sign_head(tenant, chain).await?;
        let broken = chain.broken.clone().map(Line::Broken);
        Ok((last.seq, head.map(Line::Head).or(broken)))
    }

    async fn place(&self, tenant: &Tenant, seq: u64) -> Result<Seal, Error> {
        if seq == 0 {
            return Ok(Seal::START);
        }
        let id = tenant.id;
        let hash = self
            .inner
            .store
            .read("seal_hash", move |tx| {
                Ok::<_, Error>(tx.seal_hash(id, seq)?)
            })
            .await?;
        let missing = || Error::InvalidRequest(format!("since: there is no event {seq}"));
        hash.map(|hash| Seal { seq, hash }).ok_or_else(missing)
    }
}

impl EventExport {
    /// The next lines; `None` after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Line>>, Error> {
        let mut lines = Vec::new();
        if let Some(start) = self.start.take() {
            lines.push(Line::After(start.into()));
        }
        if self.at < self.until {
            self.page(&mut lines).await?;
        }
        // Where a limit ends the lines, no head comes last: by one that does, the reader knows that this is
        // all there is. So the one that stands at the limit itself is never told.
        if self.at >= self.until
            && let Some(end) = self.end.take()
        {
            lines.extend(self.head.take().map(|(_, line)| line));
            lines.push(end);
        }
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }

    async fn page(&mut self, lines: &mut Vec<Line>) -> Result<(), Error> {
        let (tenant, after) = (self.tenant.id, self.at);
        let wanted = self.until;
        let (until, events, head) = self
            .ops
            .inner
            .store
            .read("export_page", move |tx| {
                // Where events were deleted, a page reaches further: it never comes to nothing before the end.
                let events = tx.sealed_records(tenant, (after, wanted), PAGE as usize)?;
                let full = events.last().filter(|_| events.len() as u64 >= PAGE);
                let until = full.map_or(wanted, |last| last.seal.seq);
                // At the end stands one of its own.
                let heads = (after, if until == wanted { until - 1 } else { until });
                let head = tx.newest_head(tenant, heads)?;
                Ok::<_, Error>((until, events, head))
            })
            .await?;
        let mut head = head.as_ref().and_then(read);
        for SealedRecord { seal, record } in events {
            let is_before = |(seq, _): &mut (u64, Line)| *seq < seal.seq;
            let heads = [self.head.take(), head.take_if(is_before)];
            lines.extend(heads.into_iter().flatten().map(|(_, line)| line));
            lines.push(Line::Sealed(Sealed {
                seq: seal.seq,
                hash: seal.hash,
                event: record,
            }));
        }
        self.head = head.or(self.head.take());
        self.at = until;
        Ok(())
    }
}

fn read(head: &StoredHead) -> Option<(u64, Line)> {
    match Envelope::from_json(&head.envelope) {
        Ok(envelope) => Some((head.seq, Line::Head(envelope))),
        Err(error) => {
            warn!(seq = head.seq, error = %explain(&error), "a head on record does not read");
            None
        }
    }
}
