//! What is revoked or on hold, in memory: by CA, and within one by partition.

use std::collections::{BTreeMap, HashMap};

use enlist_ca::Partition;
use enlist_core::{CaId, RevocationReason, Serial, Standing, Timestamp};
use enlist_pki::{CrlReason, RevokedEntry};
use enlist_store::StandingChange;

/// As many shards as there are partitions at most, so that each partition is made of whole ones.
const SHARDS: u16 = 4096;

/// Why and since when a certificate is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bad {
    /// Unix seconds.
    pub(super) at: i64,
    pub(super) reason: CrlReason,
}

impl Bad {
    /// `None` where it is good.
    pub(super) fn of(standing: Standing) -> Option<Self> {
        let (at, reason) = match standing {
            Standing::Good => return None,
            Standing::Held(since) => (since, CrlReason::CertificateHold),
            Standing::Revoked { at, reason } => (at, reason_of(reason)),
        };
        let at = at.as_secs();
        Some(Self { at, reason })
    }
}

fn reason_of(reason: RevocationReason) -> CrlReason {
    match reason {
        RevocationReason::KeyCompromise => CrlReason::KeyCompromise,
        RevocationReason::Superseded => CrlReason::Superseded,
        RevocationReason::CessationOfOperation => CrlReason::CessationOfOperation,
    }
}

/// Everything that is not good and has not long expired.
#[derive(Debug, Default)]
pub(super) struct State {
    cas: HashMap<CaId, Ledger>,
    /// Counts changes; each shard remembers its last one.
    changes: u64,
    /// Counts sweeps; each entry remembers the last one that has seen it.
    sweep: u64,
}

/// What one CA has taken back.
#[derive(Debug, Default)]
struct Ledger {
    shards: BTreeMap<u16, Shard>,
    number: u64,
}

#[derive(Debug, Default)]
struct Shard {
    entries: BTreeMap<Serial, Entry>,
    /// The entries as a list has them, while `encoded`.
    der: Vec<u8>,
    encoded: bool,
    changed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    bad: Bad,
    not_after: Timestamp,
    sweep: u64,
}

impl State {
    /// Takes over how a certificate of `ca` stands.
    pub(super) fn apply(&mut self, ca: CaId, change: &StandingChange) {
        let bad = Bad::of(change.standing);
        let ledger = self.cas.entry(ca).or_default();
        let shard = ledger.shards.entry(shard_of(change.serial)).or_default();
        let differs = match bad {
            None => shard.entries.remove(&change.serial).is_some(),
            Some(bad) => {
                let entry = Entry {
                    bad,
                    not_after: change.not_after,
                    sweep: self.sweep,
                };
                let before = shard.entries.insert(change.serial, entry);
                before.is_none_or(|before| before.bad != bad)
            }
        };
        if differs {
            self.changes += 1;
            shard.changed = self.changes;
            shard.encoded = false;
        }
    }

    /// Begins to look at all there is anew.
    pub(super) fn begin_sweep(&mut self) {
        self.sweep += 1;
    }

    /// Forgets what was not seen since the sweep began. Returns how many entries there are.
    pub(super) fn end_sweep(&mut self) -> usize {
        let mut count = 0;
        let shards = self
            .cas
            .values_mut()
            .flat_map(|ledger| ledger.shards.values_mut());
        for shard in shards {
            let before = shard.entries.len();
            shard.entries.retain(|_, entry| entry.sweep == self.sweep);
            count += shard.entries.len();
            if shard.entries.len() < before {
                self.changes += 1;
                shard.changed = self.changes;
                shard.encoded = false;
            }
        }
        count
    }

    /// Why a certificate is not good, and until when it is valid.
    pub(super) fn bad(&self, ca: CaId, serial: Serial) -> Option<(Bad, Timestamp)> {
        let shard = self.cas.get(&ca)?.shards.get(&shard_of(serial))?;
        let entry = shard.entries.get(&serial)?;
        Some((entry.bad, entry.not_after))
    }

    /// Counts up when something of this part changes.
    pub(super) fn changed(&self, ca: CaId, part: Option<Partition>) -> u64 {
        let shards = self.shards(ca, part);
        shards.map(|shard| shard.changed).max().unwrap_or(0)
    }

    /// Encodes what is not encoded yet.
    pub(super) fn encode(&mut self, ca: CaId, part: Option<Partition>) {
        let Some(ledger) = self.cas.get_mut(&ca) else {
            return;
        };
        let mine = ledger
            .shards
            .iter_mut()
            .filter(|(at, shard)| is_in(**at, part) && !shard.encoded);
        for (_, shard) in mine {
            shard.der.clear();
            for (serial, entry) in &shard.entries {
                RevokedEntry {
                    serial: *serial.as_bytes(),
                    at: entry.bad.at,
                    reason: entry.bad.reason,
                }
                .append_to(&mut shard.der);
            }
            shard.encoded = true;
        }
    }

    /// The entries of this part, as [`State::encode`] has left them; `None` where something has changed
    /// since.
    pub(super) fn encoded(&self, ca: CaId, part: Option<Partition>) -> Option<Vec<u8>> {
        let mut all = Vec::with_capacity(self.shards(ca, part).map(|shard| shard.der.len()).sum());
        for shard in self.shards(ca, part) {
            if !shard.encoded {
                return None;
            }
            all.extend_from_slice(&shard.der);
        }
        Some(all)
    }

    /// The number of the next list of a CA. Time, so that those of several servers rise together.
    pub(super) fn next_number(&mut self, ca: CaId, now: Timestamp) -> u64 {
        let ledger = self.cas.entry(ca).or_default();
        let time = u64::try_from(now.as_millis()).unwrap_or(0);
        ledger.number = time.max(ledger.number + 1);
        ledger.number
    }

    fn shards(&self, ca: CaId, part: Option<Partition>) -> impl Iterator<Item = &Shard> {
        self.cas
            .get(&ca)
            .into_iter()
            .flat_map(|ledger| &ledger.shards)
            .filter(move |(at, _)| is_in(**at, part))
            .map(|(_, shard)| shard)
    }
}

fn shard_of(serial: Serial) -> u16 {
    Partition::of_serial(serial, SHARDS).map_or(0, Partition::index)
}

/// Partitions are numbered by remainders of powers of two, so that one of few is several of many.
fn is_in(shard: u16, part: Option<Partition>) -> bool {
    part.is_none_or(|part| shard % part.of() == part.index())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca() -> CaId {
        CaId::from_bytes([7; 16])
    }

    fn serial(number: u32) -> Serial {
        let mut bytes = [9; 16];
        bytes[8..12].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        Serial::from_be_bytes(&bytes).unwrap()
    }

    fn change(number: u32, standing: Standing) -> StandingChange {
        StandingChange {
            since: Timestamp::from_secs(1),
            serial: serial(number),
            issuer: ca(),
            not_after: Timestamp::from_secs(100),
            standing,
        }
    }

    fn held(number: u32) -> StandingChange {
        change(number, Standing::Held(Timestamp::from_secs(1)))
    }

    fn entries(state: &mut State, part: Option<Partition>) -> Vec<u8> {
        state.encode(ca(), part);
        state.encoded(ca(), part).unwrap()
    }

    #[test]
    fn the_partitions_are_the_whole_however_many_they_are() {
        let mut state = State::default();
        for number in 0..600 {
            state.apply(ca(), &held(number));
        }
        let whole = entries(&mut state, None).len();
        assert!(whole > 600 * 16);
        for of in [2, 8, 4096] {
            let parts = (0..of).map(|k| Partition::new(k, of).unwrap());
            let lengths: Vec<_> = parts.map(|p| entries(&mut state, Some(p)).len()).collect();
            assert_eq!(lengths.iter().sum::<usize>(), whole);
            for number in 0..20 {
                let part = Partition::of_serial(serial(number), of).unwrap();
                let found = entries(&mut state, Some(part));
                let needle = serial(number);
                let mut windows = found.windows(16);
                assert!(windows.any(|window| window == needle.as_bytes()));
            }
        }
    }

    #[test]
    fn only_what_really_changes_makes_a_new_list() {
        let mut state = State::default();
        state.apply(ca(), &held(1));
        let first = state.changed(ca(), None);
        state.apply(ca(), &held(1));
        state.apply(ca(), &change(2, Standing::Good));
        assert_eq!(state.changed(ca(), None), first);
        state.apply(ca(), &change(1, Standing::Good));
        assert!(state.changed(ca(), None) > first);
        assert!(entries(&mut state, None).is_empty());
    }

    #[test]
    fn what_a_sweep_does_not_see_is_forgotten() {
        let mut state = State::default();
        state.apply(ca(), &held(1));
        state.apply(ca(), &held(2));
        let before = state.changed(ca(), None);
        state.begin_sweep();
        state.apply(ca(), &held(2));
        assert_eq!(state.end_sweep(), 1);
        assert_eq!(state.bad(ca(), serial(1)), None);
        assert!(state.bad(ca(), serial(2)).is_some());
        assert!(state.changed(ca(), None) > before);
    }

    #[test]
    fn numbers_rise_within_a_moment_too() {
        let mut state = State::default();
        let now = Timestamp::from_millis(1000);
        let numbers = [(); 3].map(|()| state.next_number(ca(), now));
        assert_eq!(numbers, [1000, 1001, 1002]);
        assert_eq!(state.next_number(ca(), Timestamp::from_millis(5000)), 5000);
    }
}
