//! Giving events their places.
//!
//! Nothing of this is done where events are recorded: that would make every transaction of a tenant wait
//! for the one before. What is recorded and not sealed yet is found a moment later.

use std::time::Instant;

use enlist_core::{EventId, EventRecord, Seal, Tenant};
use enlist_signed::audit::LATE;
use tracing::{info, warn};

use super::chain::{Chain, Standing};
use super::look::{LOOK_BACK, LOOK_FAR_BACK, Newest, SWEEP_BACK, first_id, time_of};
use crate::{Error, Ops};

/// Events that are looked at, and sealed, in one step.
const PAGE: usize = 1_000;
/// Steps of one look; what is left is looked at in the next round.
const STEPS: usize = 40;
/// Sealing so many in one round is worth a line in the log.
const MANY: usize = 10_000;

/// How a look ended.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) sealed: usize,
    /// Where to go on; `None` where everything was looked at.
    pub(super) next: Option<EventId>,
    /// Another server was quicker.
    pub(super) lost: bool,
}

/// What a step found.
struct Page {
    unsealed: Vec<EventRecord>,
    next: Option<EventId>,
    standing: Standing,
}

impl Ops {
    /// Gives new events of all tenants their places, and signs heads where it is time. Meant to be called
    /// about once a second, on any number of servers at once. Returns how many were sealed.
    ///
    /// # Errors
    /// When the store fails, or a head can't be signed. What was not done is done the next time.
    pub async fn seal_events(&self) -> Result<usize, Error> {
        let until = first_id(self.now() + LOOK_BACK);
        let tenants = self
            .inner
            .store
            .read("newest_events", move |tx| {
                Ok::<_, Error>(tx.newest_events(until)?)
            })
            .await?;
        let mut sealed = 0;
        let mut failed = None;
        for found in tenants {
            let (tenant, newest) = (found.tenant, [found.all, found.past]);
            // An export that holds it seals as well.
            let Ok(mut chain) = self.inner.audit.chain(tenant.id).try_lock_owned() else {
                continue;
            };
            match self.follow_chain(&tenant, newest, &mut chain).await {
                Ok(more) => sealed += more,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(sealed), Err)
    }

    async fn follow_chain(
        &self,
        tenant: &Tenant,
        newest: Newest,
        chain: &mut Chain,
    ) -> Result<usize, Error> {
        if chain.looks.is_away(Instant::now()) {
            return Ok(0);
        }
        self.load_chain(tenant, chain).await?;
        chain.tell_if_broken(tenant);
        // What can't be looked at keeps nothing else from being signed.
        let sealed = self.look_around(tenant, newest, chain).await;
        // The first head waits until all of an existing record is sealed: what comes after one and is
        // older counts as late.
        if chain.signed_at.is_some() || !chain.looks.is_new(newest) {
            self.sign_head_in_time(tenant, chain).await?;
        }
        sealed
    }

    async fn look_around(
        &self,
        tenant: &Tenant,
        newest: Newest,
        chain: &mut Chain,
    ) -> Result<usize, Error> {
        let mut sealed = 0;
        let started = Instant::now();
        if chain.looks.is_new(newest) {
            chain.is_head_due = true;
            let look = self.look_at_new(tenant, chain).await?;
            if look.sealed >= MANY {
                let left = look.next.is_some();
                info!(tenant = %tenant.name, sealed = look.sealed, left, "sealing events");
            }
            if look.lost || look.next.is_some() {
                return Ok(look.sealed);
            }
            sealed += look.sealed;
            chain.looks.has_looked(newest, started);
        }
        if chain.looks.is_far_look_due(started) {
            let far = first_id(self.now() - LOOK_FAR_BACK);
            let look = self.look(tenant, chain, chain.looks.far_from(far)).await?;
            sealed += look.sealed;
            chain
                .looks
                .has_looked_far(look.next, Instant::now(), started.elapsed());
        }
        let recent = first_id(self.now() - SWEEP_BACK);
        if let Some(from) = chain.looks.sweep_from(started, recent) {
            let look = self.look(tenant, chain, from).await?;
            sealed += look.sealed;
            if !look.lost {
                chain.looks.has_swept(look.next, started);
            }
        }
        Ok(sealed)
    }

    /// Looks at what is newer than what is sealed, and a little before; or goes on where the last such look
    /// has come to, where that was not the end.
    pub(super) async fn look_at_new(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
    ) -> Result<Look, Error> {
        let from = match chain.looks.go_on() {
            Some(from) => from,
            None => self.before_what_is_new(tenant).await?,
        };
        let look = self.look(tenant, chain, from).await?;
        chain.looks.goes_on(look.next.filter(|_| !look.lost));
        Ok(look)
    }

    async fn before_what_is_new(&self, tenant: &Tenant) -> Result<EventId, Error> {
        let (id, now) = (tenant.id, self.now());
        let newest = self
            .inner
            .store
            .read("newest_sealed", move |tx| {
                Ok::<_, Error>(tx.newest_sealed(id)?)
            })
            .await?;
        // Where nothing is sealed yet, from the first on.
        Ok(newest.map_or(EventId::from_bytes([0; 16]), |id| {
            first_id(time_of(id).min(now) - LOOK_BACK)
        }))
    }

    /// Seals what is not sealed after `from`, in the order of the ids.
    async fn look(&self, tenant: &Tenant, chain: &mut Chain, from: EventId) -> Result<Look, Error> {
        let mut look = Look {
            next: Some(from),
            ..Look::default()
        };
        for _ in 0..STEPS {
            let Some(after) = look.next else { break };
            let page = self.page(tenant, chain.seen, after).await?;
            self.hold(tenant, chain, &page.standing).await?;
            let count = page.unsealed.len();
            let last = page.standing.last.unwrap_or(Seal::START);
            if count > 0 && !self.seal(tenant, chain, last, page.unsealed).await? {
                chain.looks.stay_away(Instant::now());
                look.lost = true;
                break;
            }
            look.sealed += count;
            look.next = page.next;
        }
        Ok(look)
    }

    async fn page(
        &self,
        tenant: &Tenant,
        seen: Option<Seal>,
        after: EventId,
    ) -> Result<Page, Error> {
        let tenant = tenant.clone();
        self.inner
            .store
            .read("unsealed_events", move |tx| {
                let page = tx.which_are_sealed(tenant.id, after, PAGE)?;
                let is_unsealed = |(_, sealed): &&(EventId, bool)| !sealed;
                let first = page.iter().find(is_unsealed);
                let last = page.iter().rfind(is_unsealed);
                let unsealed = match first.zip(last) {
                    Some(((first, _), (last, _))) => {
                        tx.unsealed_records(tenant.id, (*first, *last))?
                    }
                    None => Vec::new(),
                };
                Ok(Page {
                    unsealed,
                    next: page
                        .last()
                        .filter(|_| page.len() >= PAGE)
                        .map(|(id, _)| *id),
                    standing: Standing::read(tx, &tenant, seen)?,
                })
            })
            .await
    }

    /// Seals events after `last`. False where another server was quicker.
    async fn seal(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
        last: Seal,
        events: Vec<EventRecord>,
    ) -> Result<bool, Error> {
        let mut place = last;
        let seals: Vec<_> = events
            .iter()
            .map(|event| {
                place = place.next(event);
                (place, event.event_id)
            })
            .collect();
        let late = Late::find(chain, &seals, &events);
        let id = tenant.id;
        let done = self
            .inner
            .store
            .write("seal_events", move |tx| {
                Ok::<_, Error>(tx.insert_seals(id, &seals)?)
            })
            .await?;
        if done {
            self.inner.audit.tally.count(events.iter());
            if let Some(Late { count, first }) = late {
                warn!(
                    tenant = %tenant.name,
                    events = count,
                    first,
                    "events were found that say they happened long before the last head of the record was signed: a server's clock is wrong, or somebody wrote them into the database"
                );
            }
            chain.has_seen(place);
            chain.is_head_due = true;
        }
        Ok(done)
    }
}

/// Events that say they happened long before the last head was signed.
struct Late {
    count: usize,
    /// The number of the first of them.
    first: u64,
}

impl Late {
    fn find(chain: &Chain, seals: &[(Seal, EventId)], events: &[EventRecord]) -> Option<Self> {
        let bound = chain.signed_at? - LATE;
        let mut late = seals
            .iter()
            .zip(events)
            .filter(|(_, event)| event.at < bound)
            .map(|((seal, _), _)| seal.seq);
        let first = late.next()?;
        Some(Self {
            count: 1 + late.count(),
            first,
        })
    }
}
