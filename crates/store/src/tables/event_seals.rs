//! The places of events in their tenants' chains.

use enlist_core::{Digest, Event, EventId, EventRecord, Seal, Tenant, TenantId, TenantState};

use super::events::{event, record};
use super::pieces::{in_pieces, listed};
use crate::column::{Columns, only};
use crate::value::{Value, number, values};
use crate::{StoreError, Tx};

/// Rows that are looked at in one step where some make no sense.
const A_STEP: usize = 256;

/// An event with its place in its tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvent {
    /// Its number, from 1.
    pub seq: u64,
    /// The hash of it and all before it.
    pub hash: Digest,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub event: Event,
}

/// The same, word for word, whether it makes sense or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// Its place.
    pub seal: Seal,
    /// What is on record.
    pub record: EventRecord,
}

/// A tenant, and the greatest ids of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestEvents {
    /// The tenant.
    pub tenant: Tenant,
    /// Of all of them.
    pub all: Option<EventId>,
    /// Of those up to the bound that was given.
    pub past: Option<EventId>,
}

impl Tx<'_> {
    /// The sealed events of a tenant after `seq`, in the chain's order. Short of `limit` only at the end.
    /// One that somebody has deleted, or that makes no sense any more, is left out: the numbers have a gap
    /// there.
    pub fn sealed_events_after(
        &mut self,
        tenant: TenantId,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        let read = |columns: &mut Columns<'_>| {
            let Seal { seq, hash } = seal(columns)?;
            let event = event(columns).ok().map(|(id, event)| SealedEvent {
                seq,
                hash,
                id,
                event,
            });
            Ok((seq, event))
        };
        let (mut after, mut rows, mut found) = (seq, limit, Vec::new());
        loop {
            let page = self.sealed(tenant, (after, u64::MAX), rows, read)?;
            let end = page.last().filter(|_| page.len() >= rows);
            let end = end.map(|(seq, _)| *seq);
            found.extend(page.into_iter().filter_map(|(_, event)| event));
            found.truncate(limit);
            match end {
                Some(seq) if found.len() < limit => after = seq,
                _ => return Ok(found),
            }
            rows = limit.max(A_STEP);
        }
    }

    /// As [`Tx::sealed_events_after`], word for word, and none after `until`.
    pub fn sealed_records(
        &mut self,
        tenant: TenantId,
        (after, until): (u64, u64),
        limit: usize,
    ) -> Result<Vec<SealedRecord>, StoreError> {
        let read = |columns: &mut Columns<'_>| {
            Ok(SealedRecord {
                seal: seal(columns)?,
                record: record(columns),
            })
        };
        self.sealed(tenant, (after, until), limit, read)
    }

    fn sealed<T>(
        &mut self,
        tenant: TenantId,
        (after, until): (u64, u64),
        limit: usize,
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.query(
            "event_seals",
            "SELECT s.seq, s.hash, e.event_id, e.happened_at, e.actor, e.kind, e.tenant_id,
                 e.group_id, e.device_id, e.name, e.detail
             FROM event_seals s
             JOIN events e ON e.tenant_id = s.tenant_id AND e.event_id = s.event_id
             WHERE s.tenant_id = $1 AND s.seq > $2 AND s.seq <= $3
             ORDER BY s.seq LIMIT $4",
            values![&tenant, number(after), number(until), number(limit as u64)],
            read,
        )
    }

    /// The last place in a tenant's chain.
    pub fn last_seal(&mut self, tenant: TenantId) -> Result<Option<Seal>, StoreError> {
        self.query_one(
            "event_seals",
            "SELECT seq, hash FROM event_seals WHERE tenant_id = $1 AND seq > 0 AND seq <= $2
             ORDER BY seq DESC LIMIT 1",
            values![&tenant, number(u64::MAX)],
            seal,
        )
    }

    /// The hash at one place in a tenant's chain.
    pub fn seal_hash(&mut self, tenant: TenantId, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.query_one(
            "event_seals",
            "SELECT hash FROM event_seals WHERE tenant_id = $1 AND seq = $2",
            values![&tenant, number(seq)],
            |columns| Ok(hash(columns)),
        )
    }

    /// The greatest id of the events of a tenant that are sealed.
    pub fn newest_sealed(&mut self, tenant: TenantId) -> Result<Option<EventId>, StoreError> {
        self.query_one(
            "event_seals",
            "SELECT event_id FROM event_seals WHERE tenant_id = $1 AND length(event_id) = 16
             ORDER BY event_id DESC LIMIT 1",
            values![&tenant],
            only,
        )
    }

    /// All tenants, each with the greatest id of its events, and the greatest up to `until`.
    pub fn newest_events(&mut self, until: EventId) -> Result<Vec<NewestEvents>, StoreError> {
        self.query(
            "tenants",
            "SELECT t.tenant_id, t.name, t.state, t.created_at,
                 (SELECT e.event_id FROM events e WHERE e.tenant_id = t.tenant_id
                  AND length(e.event_id) = 16 ORDER BY e.event_id DESC LIMIT 1),
                 (SELECT e.event_id FROM events e WHERE e.tenant_id = t.tenant_id
                  AND e.event_id <= $1 AND length(e.event_id) = 16 ORDER BY e.event_id DESC LIMIT 1)
             FROM tenants t ORDER BY t.tenant_id",
            values![&until],
            |columns| {
                let tenant = Tenant {
                    id: columns.next()?,
                    name: columns.next()?,
                    state: columns.text(TenantState::parse)?,
                    created_at: columns.next()?,
                };
                Ok(NewestEvents {
                    tenant,
                    all: columns.next()?,
                    past: columns.next()?,
                })
            },
        )
    }

    /// A page of the ids of a tenant's events after `after`, in their order; each with whether it is
    /// sealed. What has no id that makes sense was recorded by nobody, and is never sealed.
    pub fn which_are_sealed(
        &mut self,
        tenant: TenantId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<(EventId, bool)>, StoreError> {
        self.query(
            "events",
            "SELECT e.event_id, s.seq FROM events e
             LEFT JOIN event_seals s ON s.tenant_id = e.tenant_id AND s.event_id = e.event_id
             WHERE e.tenant_id = $1 AND e.event_id > $2 AND length(e.event_id) = 16
             ORDER BY e.event_id LIMIT $3",
            values![&tenant, &after, number(limit as u64)],
            |columns| {
                let id = columns.next()?;
                // Under a number that makes no sense it is sealed: what it was sealed as is missing.
                let is_unsealed = columns.next_or_raw::<Option<i64>>() == Ok(None);
                Ok((id, !is_unsealed))
            },
        )
    }

    /// The events of a tenant between two ids, both included, that are not sealed, in the order of their
    /// ids, word for word.
    pub fn unsealed_records(
        &mut self,
        tenant: TenantId,
        (first, last): (EventId, EventId),
    ) -> Result<Vec<EventRecord>, StoreError> {
        self.query(
            "events",
            "SELECT e.event_id, e.happened_at, e.actor, e.kind, e.tenant_id, e.group_id,
                 e.device_id, e.name, e.detail
             FROM events e
             LEFT JOIN event_seals s ON s.tenant_id = e.tenant_id AND s.event_id = e.event_id
             WHERE e.tenant_id = $1 AND e.event_id >= $2 AND e.event_id <= $3
                 AND s.seq IS NULL AND length(e.event_id) = 16
             ORDER BY e.event_id",
            values![&tenant, &first, &last],
            |columns| Ok(record(columns)),
        )
    }

    /// Seals events: they take the places that follow each other. False, and nothing done, where the
    /// first place is taken, or the first event has one: then another server has been quicker.
    pub fn insert_seals(
        &mut self,
        tenant: TenantId,
        seals: &[(Seal, EventId)],
    ) -> Result<bool, StoreError> {
        let Some((first, rest)) = seals.split_first() else {
            return Ok(true);
        };
        // Whoever has the first place has all: nobody adds to what is not committed yet.
        let (seal, id) = first;
        let added = self.execute(
            "INSERT INTO event_seals (tenant_id, seq, event_id, hash) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            values![&tenant, number(seal.seq), id, &seal.hash],
        )?;
        if added == 0 {
            return Ok(false);
        }
        in_pieces(rest, insert_statement, |sql, rows| {
            let mut values = vec![Value::from(&tenant)];
            for (seal, id) in rows {
                values.extend_from_slice(values![number(seal.seq), id, &seal.hash]);
            }
            self.execute(sql, &values)?;
            Ok(())
        })?;
        Ok(true)
    }
}

fn insert_statement(rows: usize) -> String {
    let rows = listed(rows, 1, |[seq, id, hash]| {
        format!("($1, ${seq}, ${id}, ${hash})")
    });
    format!("INSERT INTO event_seals (tenant_id, seq, event_id, hash) VALUES {rows}")
}

fn seal(columns: &mut Columns<'_>) -> Result<Seal, StoreError> {
    Ok(Seal {
        seq: columns.next()?,
        hash: hash(columns),
    })
}

/// One that makes no sense is all zeros, which is the hash of nothing.
fn hash(columns: &mut Columns<'_>) -> Digest {
    columns
        .next_or_raw()
        .unwrap_or_else(|_| Digest::from_bytes([0; 32]))
}
