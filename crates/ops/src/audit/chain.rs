//! What one server has seen of one chain, and holds it to.

use std::time::{Duration, Instant};

use enlist_core::{Actor, Digest, Event, Seal, Tenant, TenantId, Timestamp};
use enlist_signed::audit::Broken;
use enlist_store::Tx;
use tracing::error;

use super::look::Looks;
use crate::{Error, Ops};

/// How often a chain that is broken is told of in the log.
const AGAIN: Duration = Duration::from_secs(60);

/// What this server knows of a tenant's chain.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) looks: Looks,
    /// The last head has been looked for.
    pub(super) is_loaded: bool,
    /// The last place that was seen here, whoever sealed it: the chain goes on from there, or somebody has
    /// cut or rewritten it.
    pub(super) seen: Option<Seal>,
    /// It did not.
    pub(super) broken: Option<Broken>,
    told_at: Option<Instant>,
    /// There may be events that no head covers.
    pub(super) is_head_due: bool,
    /// When the newest head was signed.
    pub(super) signed_at: Option<Timestamp>,
}

/// How a chain stands in the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) last: Option<Seal>,
    /// What stands at the place that was seen last.
    at_seen: Option<Digest>,
    is_loose: bool,
}

impl Standing {
    pub(super) fn read(
        tx: &mut Tx<'_>,
        tenant: &Tenant,
        seen: Option<Seal>,
    ) -> Result<Self, Error> {
        let at_seen = match seen {
            Some(seen) => tx.seal_hash(tenant.id, seen.seq)?,
            None => None,
        };
        let last = tx.last_seal(tenant.id)?;
        let is_loose = match last {
            Some(last) => is_loose(tx, tenant.id, last.seq)?,
            None => false,
        };
        Ok(Self {
            last,
            at_seen,
            is_loose,
        })
    }
}

/// Whether nothing stands before the last place of a chain: it was put there, and no server did that.
pub(crate) fn is_loose(tx: &mut Tx<'_>, tenant: TenantId, last: u64) -> Result<bool, Error> {
    Ok(last > 1 && tx.seal_hash(tenant, last - 1)?.is_none())
}

impl Ops {
    /// Holds a chain to what was seen of it, and from now on to how it stands. Where it does not go on from
    /// there, that is recorded and told, once and for as long as this server runs, and nothing of it is
    /// signed any more.
    pub(super) async fn hold(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
        standing: &Standing,
    ) -> Result<(), Error> {
        let lost = match (chain.seen, standing.last) {
            (Some(seen), _) if standing.at_seen != Some(seen.hash) => Some(seen),
            (_, Some(last)) if standing.is_loose => Some(Seal {
                seq: last.seq - 1,
                ..Seal::START
            }),
            _ => None,
        };
        match (lost, standing.last) {
            (Some(lost), last) => self.break_chain(tenant, chain, lost, last).await?,
            (None, Some(last)) => chain.has_seen(last),
            (None, None) => {}
        }
        Ok(())
    }

    pub(super) async fn break_chain(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
        seen: Seal,
        last: Option<Seal>,
    ) -> Result<(), Error> {
        if chain.broken.is_some() {
            return Ok(());
        }
        let events = last.map_or(0, |last| last.seq);
        let subject = tenant.subject();
        let event = Event::new("audit-chain-broken", subject, Actor::Server, self.now())
            .with("seen", seen.seq)
            .with("hash", seen.hash.to_hex())
            .with("events", events);
        let append = move |tx: &mut Tx<'_>| Ok::<_, Error>(tx.append(&event)?);
        self.inner.store.write("audit_chain_broken", append).await?;
        self.inner.audit.breaks_at(tenant.id, seen.seq);
        let seen = seen.into();
        chain.broken = Some(Broken { seen, events });
        chain.tell_if_broken(tenant);
        Ok(())
    }
}

impl Chain {
    /// Says in the log that the chain is broken, if it is, and it is time.
    pub(super) fn tell_if_broken(&mut self, tenant: &Tenant) {
        let Some(Broken { seen, events }) = &self.broken else {
            return;
        };
        if self.told_at.is_some_and(|at| at.elapsed() < AGAIN) {
            return;
        }
        self.told_at = Some(Instant::now());
        error!(
            tenant = %tenant.name,
            seen = seen.seq,
            events,
            "the record of events was cut or rewritten: what this server has seen of it is not there any more, so it signs no more heads. `enlist export events` and `enlist verify events` with an earlier head say what was done, and docs/audit.md how to go on; after a restore from a backup, restart the servers"
        );
    }

    /// Takes note of where the chain stands.
    pub(super) fn has_seen(&mut self, place: Seal) {
        if self.broken.is_none() {
            self.seen = Some(place);
        }
    }
}
