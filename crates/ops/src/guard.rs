//! Slows down whoever guesses provisioning secrets, or asks for more challenges than devices need.
//!
//! Each source (an IPv4 address, an IPv6 /64) has a few wrong guesses, and one more each second.
//! A secret that has let somebody in since the start is guessed at separately, so that a prowler
//! behind the same address translation does not keep a factory's devices out.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enlist_core::{ShortId, Timestamp};

use crate::Error;

/// How much a source may do at once, and how soon it may do one more.
#[derive(Clone, Copy)]
struct Pace {
    burst: u32,
    refill: Duration,
}

const GUESSES: Pace = Pace {
    burst: 20,
    refill: Duration::from_secs(1),
};
/// A whole factory may be behind one address.
const CHALLENGES: Pace = Pace {
    burst: 400,
    refill: Duration::from_millis(25),
};
/// As many may wait behind one address, and each asks four times a minute.
const UNPROVEN: Pace = CHALLENGES;
/// Sources and secrets that are remembered at most; the memory is bounded, whoever calls.
const MOST: usize = 10_000;

pub(crate) struct Guard {
    pace: Pace,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    debts: HashMap<Key, Debt>,
    good: HashSet<ShortId>,
}

/// Wrong guesses, or challenges, that have not been forgiven yet.
#[derive(Clone, Copy)]
struct Debt {
    guesses: u32,
    since: Timestamp,
}

impl Debt {
    fn at(self, now: Timestamp, pace: Pace) -> Self {
        let forgiven = now.since(self.since).as_millis() / pace.refill.as_millis();
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        Self {
            guesses: self.guesses.saturating_sub(forgiven),
            since: self.since + pace.refill * forgiven,
        }
    }
}

impl Guard {
    /// For guesses at secrets.
    pub(crate) fn of_guesses() -> Self {
        Self::new(GUESSES)
    }

    /// For challenges.
    pub(crate) fn of_challenges() -> Self {
        Self::new(CHALLENGES)
    }

    /// For requests that bring neither a secret nor a proof.
    pub(crate) fn of_unproven() -> Self {
        Self::new(UNPROVEN)
    }

    fn new(pace: Pace) -> Self {
        Self {
            pace,
            memory: Mutex::default(),
        }
    }

    /// Whether a guess from `source` is heard at all now.
    pub(crate) fn check(&self, source: IpAddr, id: &ShortId, now: Timestamp) -> Result<(), Error> {
        let memory = self.memory();
        memory.check(&memory.key(source, id), self.pace, now)
    }

    /// Notes a wrong guess.
    pub(crate) fn wrong(&self, source: IpAddr, id: &ShortId, now: Timestamp) {
        let mut memory = self.memory();
        let key = memory.key(source, id);
        memory.count(key, self.pace, now);
    }

    /// Whether `source` is heard at all now.
    pub(crate) fn check_source(&self, source: IpAddr, now: Timestamp) -> Result<(), Error> {
        self.memory().check(&(prefix(source), None), self.pace, now)
    }

    /// Notes that `source` has made the server work.
    pub(crate) fn count(&self, source: IpAddr, now: Timestamp) {
        self.memory().count((prefix(source), None), self.pace, now);
    }

    /// Notes a secret that was right.
    pub(crate) fn right(&self, id: &ShortId) {
        let mut memory = self.memory();
        if memory.good.len() < MOST && !memory.good.contains(id) {
            memory.good.insert(id.clone());
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Key = (IpAddr, Option<ShortId>);

impl Memory {
    fn key(&self, source: IpAddr, id: &ShortId) -> Key {
        (prefix(source), self.good.get(id).cloned())
    }

    fn check(&self, key: &Key, pace: Pace, now: Timestamp) -> Result<(), Error> {
        match self.debts.get(key).map(|debt| debt.at(now, pace).guesses) {
            Some(guesses) if guesses >= pace.burst => {
                let wait = pace.refill * (guesses - pace.burst + 1);
                let retry_after_s = u64::try_from(wait.as_millis().div_ceil(1000));
                Err(Error::GuessingSlowedDown {
                    retry_after_s: retry_after_s.unwrap_or(u64::MAX),
                })
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, key: Key, pace: Pace, now: Timestamp) {
        self.make_room(pace, now);
        let debt = self.debts.entry(key).or_insert(Debt {
            guesses: 0,
            since: now,
        });
        *debt = debt.at(now, pace);
        if debt.guesses == 0 {
            debt.since = now;
        }
        debt.guesses = debt.guesses.saturating_add(1);
    }

    fn make_room(&mut self, pace: Pace, now: Timestamp) {
        if self.debts.len() < MOST {
            return;
        }
        self.debts.retain(|_, debt| debt.at(now, pace).guesses > 0);
        if self.debts.len() >= MOST {
            // More prowlers than room: the ones that have guessed least are let go.
            self.debts
                .retain(|_, debt| debt.at(now, pace).guesses >= pace.burst / 2);
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
        let (guard, source, id) = (Guard::of_guesses(), IpAddr::from([192, 0, 2, 1]), id());
        for _ in 0..GUESSES.burst {
            assert!(guard.check(source, &id, NOW).is_ok());
            guard.wrong(source, &id, NOW);
        }
        assert!(guard.check(source, &id, NOW).is_err());
        assert!(
            guard.check(source, &self::id(), NOW).is_err(),
            "another guess"
        );
        assert!(guard.check(IpAddr::from([192, 0, 2, 2]), &id, NOW).is_ok());
        assert!(guard.check(source, &id, NOW + GUESSES.refill).is_ok());
    }

    #[test]
    fn a_secret_that_works_is_not_kept_out_by_other_guesses() {
        let (guard, source, good) = (Guard::of_guesses(), IpAddr::from([192, 0, 2, 1]), id());
        guard.right(&good);
        for _ in 0..GUESSES.burst {
            guard.wrong(source, &id(), NOW);
        }
        assert!(guard.check(source, &id(), NOW).is_err());
        assert!(guard.check(source, &good, NOW).is_ok());
    }

    #[test]
    fn a_factory_gets_its_challenges_and_a_flood_does_not() {
        let (guard, source) = (Guard::of_challenges(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..CHALLENGES.burst {
            assert!(guard.check_source(source, NOW).is_ok());
            guard.count(source, NOW);
        }
        let refusal = guard.check_source(source, NOW).unwrap_err();
        assert_eq!(refusal.retry_after_s(), Some(1));
        assert!(
            guard
                .check_source(IpAddr::from([192, 0, 2, 2]), NOW)
                .is_ok()
        );
        assert!(guard.check_source(source, NOW + CHALLENGES.refill).is_ok());
    }

    #[test]
    fn strangers_without_a_proof_are_slowed_down_by_their_source() {
        let (guard, source) = (Guard::of_unproven(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..UNPROVEN.burst {
            assert!(guard.check_source(source, NOW).is_ok());
            guard.count(source, NOW);
        }
        assert!(guard.check_source(source, NOW).is_err());
        assert!(
            guard
                .check_source(IpAddr::from([192, 0, 2, 2]), NOW)
                .is_ok()
        );
    }

    #[test]
    fn one_ipv6_customer_is_one_source() {
        let of = |text: &str| prefix(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
