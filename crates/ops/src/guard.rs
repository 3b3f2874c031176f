//! Slows down whoever guesses provisioning secrets.
//!
//! Each source (an IPv4 address, an IPv6 /64) has a few wrong guesses, and one more each second.
//! A secret that has let somebody in since the start is guessed at separately, so that a prowler
//! behind the same address translation does not keep a factory's devices out.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use enlist_core::{ShortId, Timestamp};

use crate::Error;

const BURST: u32 = 20;
const REFILL: Duration = Duration::from_secs(1);
/// Sources and secrets that are remembered at most; the memory is bounded, whoever calls.
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Guard {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    debts: HashMap<(IpAddr, Option<ShortId>), Debt>,
    good: HashSet<ShortId>,
}

/// Wrong guesses that have not been forgiven yet.
#[derive(Clone, Copy)]
struct Debt {
    guesses: u32,
    since: Timestamp,
}

impl Debt {
    fn at(self, now: Timestamp) -> Self {
        let forgiven = now.since(self.since).as_secs() / REFILL.as_secs();
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        Self {
            guesses: self.guesses.saturating_sub(forgiven),
            since: self.since + REFILL * forgiven,
        }
    }
}

impl Guard {
    /// Whether a guess from `source` is heard at all now.
    pub(crate) fn check(&self, source: IpAddr, id: &ShortId, now: Timestamp) -> Result<(), Error> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let key = memory.key(source, id);
        match memory.debts.get(&key).map(|debt| debt.at(now).guesses) {
            Some(guesses) if guesses >= BURST => Err(Error::GuessingSlowedDown {
                retry_after_s: u64::from(guesses - BURST) + 1,
            }),
            _ => Ok(()),
        }
    }

    /// Notes a wrong guess.
    pub(crate) fn wrong(&self, source: IpAddr, id: &ShortId, now: Timestamp) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let key = memory.key(source, id);
        memory.make_room(now);
        let debt = memory.debts.entry(key).or_insert(Debt {
            guesses: 0,
            since: now,
        });
        *debt = debt.at(now);
        if debt.guesses == 0 {
            debt.since = now;
        }
        debt.guesses += 1;
    }

    /// Notes a secret that was right.
    pub(crate) fn right(&self, id: &ShortId) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.good.len() < MOST && !memory.good.contains(id) {
            memory.good.insert(id.clone());
        }
    }
}

impl Memory {
    fn key(&self, source: IpAddr, id: &ShortId) -> (IpAddr, Option<ShortId>) {
        (prefix(source), self.good.get(id).cloned())
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.debts.len() < MOST {
            return;
        }
        self.debts.retain(|_, debt| debt.at(now).guesses > 0);
        if self.debts.len() >= MOST {
            // More prowlers than room: the ones that have guessed least are let go.
            self.debts
                .retain(|_, debt| debt.at(now).guesses >= BURST / 2);
        }
        if self.debts.len() >= MOST {
            self.debts.clear();
        }
    }
}

/// What counts as one source: an IPv4 address, or the /64 that one IPv6 customer has.
pub(crate) fn prefix(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::{ProvisioningSecret, SystemRng};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn id() -> ShortId {
        ProvisioningSecret::generate(&SystemRng).short_id().clone()
    }

    #[test]
    fn a_guesser_is_slowed_down_and_forgiven() {
        let (guard, source, id) = (Guard::default(), IpAddr::from([192, 0, 2, 1]), id());
        for _ in 0..BURST {
            assert!(guard.check(source, &id, NOW).is_ok());
            guard.wrong(source, &id, NOW);
        }
        assert!(guard.check(source, &id, NOW).is_err());
        assert!(
            guard.check(source, &self::id(), NOW).is_err(),
            "another guess"
        );
        assert!(guard.check(IpAddr::from([192, 0, 2, 2]), &id, NOW).is_ok());
        assert!(guard.check(source, &id, NOW + REFILL).is_ok());
    }

    #[test]
    fn a_secret_that_works_is_not_kept_out_by_other_guesses() {
        let (guard, source, good) = (Guard::default(), IpAddr::from([192, 0, 2, 1]), id());
        guard.right(&good);
        for _ in 0..BURST {
            guard.wrong(source, &id(), NOW);
        }
        assert!(guard.check(source, &id(), NOW).is_err());
        assert!(guard.check(source, &good, NOW).is_ok());
    }

    #[test]
    fn one_ipv6_customer_is_one_source() {
        let of = |text: &str| prefix(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
