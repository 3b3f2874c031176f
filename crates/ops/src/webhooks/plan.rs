//! What one round tells, in what order.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use enlist_core::{DeviceId, GroupId, Name, PutOff, TenantId, Timestamp, Webhook, WebhookId};
use enlist_store::{SealedEvent, Tx};

use super::ToTell;
use crate::Error;
use crate::audit::is_loose;

/// Events that are looked at in one round. With those that were put off, all that is ever in memory.
const A_WINDOW: usize = 256;
/// Devices about which something that was put off is tried again in one round, and how much about each.
const A_RETRY: usize = 16;
const A_CHAIN: usize = 16;
/// When so many wait, those that wait longest are given up for those that come.
pub(super) const MOST_WAITING: usize = 10_000;
/// Events that are looked at in one round where so many wait and the receiver seems to be down: few, as
/// each gives up another one.
const A_FULL_WINDOW: usize = 16;

/// One round.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) webhook: Webhook,
    /// What is told; each in its order, all of them at the same time.
    pub(super) chains: Vec<Chain>,
    /// Up to where the round goes.
    pub(super) upto: u64,
    /// What waits behind something about the same device.
    pub(super) behind: Vec<PutOff>,
    /// What was put off and is no longer on record.
    pub(super) gone: BTreeSet<u64>,
    /// As many wait as may.
    pub(super) is_full: bool,
}

/// What is told about one device, in this order; or about none.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) device: Option<DeviceId>,
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) event: ToTell,
    /// How it stands, where it was put off before.
    pub(super) before: Option<PutOff>,
}

impl Plan {
    /// Whether there is nothing to be told, and nothing to be recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.chains.is_empty()
            && self.behind.is_empty()
            && self.gone.is_empty()
            && self.upto == self.webhook.told
    }

    /// Plans a round for a webhook that `server` tells. `None` where it does not.
    ///
    /// A receiver that seems to be down is asked about a single event. That is another one each time, so
    /// that an event which a receiver can't take does not keep the others from it.
    pub(super) fn make(
        tx: &mut Tx<'_>,
        tenant: TenantId,
        id: WebhookId,
        server: &[u8; 16],
        now: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let Some(webhook) = tx.webhook_held_by(tenant, id, server)? else {
            return Ok(None);
        };
        let Some(record) = tx.tenant(tenant)? else {
            return Ok(None);
        };
        let is_down = webhook.pace.failures > 0;
        let mut plan = Self {
            upto: webhook.told,
            webhook,
            chains: Vec::new(),
            behind: Vec::new(),
            gone: BTreeSet::new(),
            is_full: false,
        };
        if plan.webhook.pace.waits(now) {
            return Ok(Some(plan));
        }
        let mut names = Names {
            tenant: record.name,
            groups: HashMap::new(),
        };
        plan.retry(tx, &mut names, now, is_down)?;
        let waiting = tx.count_put_off(tenant, id, MOST_WAITING)?;
        // A receiver is told as fast as it answers: what there was no time for comes first. What it refuses
        // holds nobody else up.
        let comes_first = if is_down {
            !plan.chains.is_empty()
        } else {
            waiting >= A_WINDOW as u64 && tx.is_untried_put_off(tenant, id, now)?
        };
        if !comes_first {
            plan.read_on(tx, &mut names, now, waiting)?;
        }
        Ok(Some(plan))
    }

    /// What was put off and is due, with what waits behind it.
    fn retry(
        &mut self,
        tx: &mut Tx<'_>,
        names: &mut Names,
        now: Timestamp,
        is_down: bool,
    ) -> Result<(), Error> {
        let (tenant, id) = (self.webhook.tenant, self.webhook.id);
        let (devices, most) = if is_down { (1, 1) } else { (A_RETRY, A_CHAIN) };
        for device in tx.devices_put_off(tenant, id, now, devices)? {
            let mut items = Vec::new();
            for before in tx.put_off_about(tenant, id, device, most)? {
                let sealed = tx.sealed_events_after(tenant, before.seq.saturating_sub(1), 1)?;
                match sealed.into_iter().find(|one| one.seq == before.seq) {
                    Some(sealed) => items.push(Item {
                        event: names.complete(tx, sealed)?,
                        before: Some(before),
                    }),
                    None => {
                        self.gone.insert(before.seq);
                    }
                }
            }
            self.chains.push(Chain { device, items });
        }
        Ok(())
    }

    /// The events that follow those told, each behind what waits about the same device.
    fn read_on(
        &mut self,
        tx: &mut Tx<'_>,
        names: &mut Names,
        now: Timestamp,
        waiting: u64,
    ) -> Result<(), Error> {
        let (tenant, id) = (self.webhook.tenant, self.webhook.id);
        let is_down = self.webhook.pace.failures > 0;
        self.is_full = waiting >= MOST_WAITING as u64;
        let window = if is_down && self.is_full {
            A_FULL_WINDOW
        } else {
            A_WINDOW
        };
        let mut sealed = tx.sealed_events_after(tenant, self.webhook.told, window)?;
        let last = tx.last_seal(tenant)?.map_or(0, |seal| seal.seq);
        // Whoever went to a place that follows no other would pass over all that is sealed after it was
        // taken away.
        if last > self.webhook.told + 1 && is_loose(tx, tenant, last)? {
            sealed.retain(|one| one.seq < last);
        } else if sealed.is_empty() {
            // Where the last events were deleted from the record, there is nothing left to tell.
            self.upto = self.upto.max(last);
        }
        let mut chains: HashMap<Option<DeviceId>, Option<Chain>> = HashMap::new();
        let mut order = Vec::new();
        for sealed in sealed {
            self.upto = sealed.seq;
            if !self.webhook.wants(&sealed.event) {
                continue;
            }
            let device = sealed.event.subject.device;
            let chain = match chains.entry(device) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let waits = waiting > 0 && !tx.put_off_about(tenant, id, device, 1)?.is_empty();
                    let items = Vec::new();
                    order.push(device);
                    new.insert((!waits).then_some(Chain { device, items }))
                }
            };
            let Some(chain) = chain else {
                self.behind.push(waiting_since(sealed.seq, device, now));
                continue;
            };
            let event = names.complete(tx, sealed)?;
            let before = None;
            chain.items.push(Item { event, before });
            if is_down {
                break;
            }
        }
        let chains = order.iter().filter_map(|device| chains.remove(device)?);
        self.chains.extend(chains);
        Ok(())
    }
}

/// An event that waits behind another.
pub(super) fn waiting_since(seq: u64, device: Option<DeviceId>, now: Timestamp) -> PutOff {
    PutOff {
        seq,
        device,
        attempts: 0,
        since: now,
        next_at: None,
        error: None,
        given_up_at: None,
    }
}

struct Names {
    tenant: Name,
    groups: HashMap<GroupId, Option<Name>>,
}

impl Names {
    fn complete(&mut self, tx: &mut Tx<'_>, sealed: SealedEvent) -> Result<ToTell, Error> {
        let group = match sealed.event.subject.group {
            Some(id) => match self.groups.get(&id) {
                Some(known) => known.clone(),
                None => {
                    let found = tx.group(sealed.event.subject.tenant, id)?;
                    let name = found.map(|group| group.name);
                    self.groups.insert(id, name.clone());
                    name
                }
            },
            None => None,
        };
        Ok(ToTell {
            tenant: self.tenant.clone(),
            seq: sealed.seq,
            id: sealed.id,
            event: sealed.event,
            group,
        })
    }
}
