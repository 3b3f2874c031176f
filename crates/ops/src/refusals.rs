//! Refusals are counted in memory, and written down as events now and then: a stranger who is
//! refused a million times costs the record one line a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use enlist_core::{
    Actor, DeviceId, Event, HardwareIdentity, Name, SecretRecord, ShortId, Subject, Tenant,
    Timestamp,
};
use enlist_store::Tx;

use crate::enroll::let_in_by;
use crate::guard::prefix;
use crate::{Enrollment, Error, Ops};

/// Counters that are kept at most; what is beyond is counted without its source.
const MOST: usize = 4_096;
/// Counters after which reasons are no longer told apart, nor the groups and secrets that strangers name.
const MOST_IN_FULL: usize = 256;

#[derive(Default)]
pub(crate) struct Refusals {
    counts: Mutex<HashMap<Key, Tally>>,
}

/// What a newcomer has asked for and brought, as far as the record is to tell if it is refused.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    group: Option<Name>,
    secret: Option<ShortId>,
    called: Called,
}

/// How those call themselves who are refused: of many, the last one.
#[derive(Debug, Clone, Default)]
struct Called {
    name: Option<Name>,
    hardware: Option<HardwareIdentity>,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    count: u64,
    last: Called,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: Name,
    device: Option<DeviceId>,
    /// By name, as it was asked for.
    group: Option<Name>,
    secret: Option<ShortId>,
    slug: &'static str,
    source: Option<IpAddr>,
    /// What a hook has said, while there are few counters.
    reason: Option<String>,
}

impl Refusals {
    pub(crate) fn count(&self, tenant: &str, device: DeviceId, error: &Error, source: IpAddr) {
        self.add(tenant, Some(device), Attempt::default(), error, source);
    }

    pub(crate) fn count_newcomer(
        &self,
        tenant: &str,
        attempt: Attempt,
        error: &Error,
        source: IpAddr,
    ) {
        self.add(tenant, None, attempt, error, source);
    }

    fn add(
        &self,
        tenant: &str,
        device: Option<DeviceId>,
        attempt: Attempt,
        error: &Error,
        source: IpAddr,
    ) {
        // What no tenant could be called belongs to no tenant's record.
        let Ok(tenant) = tenant.parse() else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Key {
            tenant,
            device,
            group: attempt.group,
            secret: attempt.secret,
            slug: error.slug(),
            source: Some(prefix(source)),
            reason: error.reason().map(ToOwned::to_owned),
        };
        if counts.len() >= MOST_IN_FULL && !counts.contains_key(&key) {
            key.reason = None;
            // A group that is there, and a secret that is right, are told whatever strangers make up.
            if !has_found_its_group(error) {
                (key.group, key.secret) = (None, None);
            }
        }
        if counts.len() >= MOST && !counts.contains_key(&key) {
            key.source = None;
            key.device = None;
            if counts.len() >= MOST + 256 && !counts.contains_key(&key) {
                return;
            }
        }
        let tally = counts.entry(key).or_default();
        tally.count += 1;
        tally.last = attempt.called;
    }

    fn take(&self) -> HashMap<Key, Tally> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counts)
    }
}

impl Attempt {
    pub(crate) fn of(enrollment: &Enrollment) -> Self {
        let secret = enrollment.secret.as_ref();
        Self {
            secret: secret.map(|secret| secret.short_id().clone()),
            called: Called {
                name: enrollment.name.clone(),
                hardware: enrollment.hardware.clone(),
            },
            ..Self::at(&enrollment.group)
        }
    }

    pub(crate) fn at(group: &str) -> Self {
        Self {
            group: group.parse().ok(),
            ..Self::default()
        }
    }
}

/// Whether who is refused so has asked at a group that is there, with what is right for it or nothing at all.
fn has_found_its_group(error: &Error) -> bool {
    matches!(
        error,
        Error::SecretBounds(_)
            | Error::HookRefused { .. }
            | Error::HookUnavailable { .. }
            | Error::AllocationFailed { .. }
            | Error::UnknownDevice { .. }
            | Error::DeviceAlreadyEnrolled { .. }
            | Error::IdentityTombstoned { .. }
            | Error::HardwareConflict
            | Error::HardwareMismatch { .. }
            | Error::TooManyPending
    )
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
                for (key, (about, tally)) in by_what_is_there(tx, &counts)? {
                    about.write_down(tx, &key, &tally, now)?;
                }
                Ok(())
            })
            .await
    }
}

/// What a counter is about, as it is on record.
struct About {
    subject: Subject,
    secret: Option<SecretRecord>,
}

/// The counters by what is on record. A group that somebody has made up is none, and neither is a secret.
fn by_what_is_there(
    tx: &mut Tx<'_>,
    counts: &HashMap<Key, Tally>,
) -> Result<HashMap<Key, (About, Tally)>, Error> {
    let mut told = HashMap::new();
    for (key, tally) in counts {
        let Some(about) = About::find(tx, key)? else {
            continue;
        };
        let mut key = key.clone();
        key.group.take_if(|_| about.subject.group.is_none());
        key.secret.take_if(|_| about.secret.is_none());
        let (_, sum) = told.entry(key).or_insert((about, Tally::default()));
        sum.count += tally.count;
        sum.last = tally.last.clone();
    }
    Ok(told)
}

impl About {
    /// `None` where there is no such tenant.
    fn find(tx: &mut Tx<'_>, key: &Key) -> Result<Option<Self>, Error> {
        let Some(Tenant { id, .. }) = tx.tenant_by_name(&key.tenant)? else {
            return Ok(None);
        };
        let device = match key.device {
            Some(device) => tx.device(id, device)?,
            None => None,
        };
        let group = match &key.group {
            Some(group) => tx.group_by_name(id, group)?,
            None => None,
        };
        let subject = match (&device, &group) {
            (Some(device), _) => device.subject(),
            (None, Some(group)) => group.subject(),
            (None, None) => Subject {
                tenant: id,
                group: None,
                device: None,
                name: String::new(),
            },
        };
        let secret = match &key.secret {
            Some(secret) => tx.secret_by_short_id(id, secret)?,
            None => None,
        };
        // To those who see one group, another one's secret is not there.
        let is_its = |secret: &SecretRecord| subject.group.is_none_or(|id| id == secret.group);
        Ok(Some(Self {
            secret: secret.filter(is_its),
            subject,
        }))
    }

    fn write_down(
        self,
        tx: &mut Tx<'_>,
        key: &Key,
        tally: &Tally,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut event = Event::new("refused", self.subject, Actor::Server, at)
            .with("problem", key.slug)
            .with("count", tally.count);
        if let Some(source) = key.source {
            event = event.with("source", source);
        }
        if let Some(reason) = &key.reason {
            event = event.with("reason", reason);
        }
        event = let_in_by(event, self.secret.as_ref());
        if let Some(name) = &tally.last.name {
            event = event.with("name", name);
        }
        if let Some(hardware) = &tally.last.hardware {
            event = event.with("hardware", hardware);
        }
        tx.append(&event)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::SecretRefusal;

    use super::*;

    #[test]
    fn made_up_groups_cover_up_nobody_with_the_right_secret() {
        let refusals = Refusals::default();
        let at = |group: &str, error: &Error, source: [u8; 4]| {
            refusals.count_newcomer("default", Attempt::at(group), error, source.into());
        };
        for n in 0..10_000 {
            at(&format!("made-up-{n}"), &Error::SecretWrong, [10, 0, 0, 1]);
        }
        let used_up = Error::SecretBounds(SecretRefusal::UsedUp);
        at("lamps", &used_up, [10, 0, 0, 2]);
        let counts = refusals.take();
        assert_eq!(counts.len(), MOST_IN_FULL + 2);
        assert_eq!(
            counts.values().map(|tally| tally.count).sum::<u64>(),
            10_001
        );
        let of_lamps = |key: &&Key| key.group.as_ref().is_some_and(|it| it.as_str() == "lamps");
        let lamps: Vec<_> = counts.keys().filter(of_lamps).collect();
        assert_eq!((lamps.len(), lamps[0].slug), (1, "secret-used-up"));
    }
}
