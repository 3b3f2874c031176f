//! Refusals are counted in memory, and written down as events now and then: a stranger who is
//! refused a million times costs the record one line a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use enlist_core::{Actor, DeviceId, Event, Name, Subject};
use enlist_store::Tx;

use crate::guard::prefix;
use crate::{Error, Ops};

/// Counters that are kept at most; what is beyond is counted without its source.
const MOST: usize = 4_096;
/// Counters after which reasons are no longer told apart.
const MOST_WITH_REASON: usize = 256;

#[derive(Default)]
pub(crate) struct Refusals {
    counts: Mutex<HashMap<Key, u64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: Name,
    device: Option<DeviceId>,
    slug: &'static str,
    source: Option<IpAddr>,
    /// What a hook has said, while there are few counters.
    reason: Option<String>,
}

impl Refusals {
    pub(crate) fn count(
        &self,
        tenant: &str,
        device: Option<DeviceId>,
        error: &Error,
        source: IpAddr,
    ) {
        // What no tenant could be called belongs to no tenant's record.
        let Ok(tenant) = tenant.parse() else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Key {
            tenant,
            device,
            slug: error.slug(),
            source: Some(prefix(source)),
            reason: error.reason().map(ToOwned::to_owned),
        };
        if counts.len() >= MOST_WITH_REASON {
            key.reason = None;
        }
        if counts.len() >= MOST && !counts.contains_key(&key) {
            key.source = None;
            key.device = None;
            if counts.len() >= MOST + 256 && !counts.contains_key(&key) {
                return;
            }
        }
        *counts.entry(key).or_default() += 1;
    }

    fn take(&self) -> HashMap<Key, u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counts)
    }
}

impl Ops {
    /// Writes the refusals since the last time down, one event a counter.
    ///
    /// # Errors
    /// When they could not be recorded; they are lost then, the refusals themselves were not.
    pub async fn flush_refusals(&self) -> Result<(), Error> {
        let counts = self.inner.refusals.take();
        if counts.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.inner
            .store
            .write("flush_refusals", move |tx| {
                for (key, count) in &counts {
                    write_down(tx, key, *count, now)?;
                }
                Ok(())
            })
            .await
    }
}

fn write_down(
    tx: &mut Tx<'_>,
    key: &Key,
    count: u64,
    now: enlist_core::Timestamp,
) -> Result<(), Error> {
    let Some(tenant) = tx.tenant_by_name(&key.tenant)? else {
        return Ok(());
    };
    let device = match key.device {
        Some(id) => tx.device(tenant.id, id)?,
        None => None,
    };
    let subject = match &device {
        Some(device) => device.subject(),
        None => Subject {
            tenant: tenant.id,
            group: None,
            device: None,
            name: String::new(),
        },
    };
    let mut event = Event::new("refused", subject, Actor::Server, now)
        .with("problem", key.slug)
        .with("count", count);
    if let Some(source) = key.source {
        event = event.with("source", source);
    }
    if let Some(reason) = &key.reason {
        event = event.with("reason", reason);
    }
    tx.append(&event)?;
    Ok(())
}
