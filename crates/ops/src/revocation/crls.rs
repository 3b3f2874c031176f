//! The lists that were made, and who makes them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enlist_core::{CaId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::crl::CrlServed;

/// A list is made anew at this age, whether anything has changed or not.
const REMADE_AFTER: Duration = Duration::from_secs(3600);
/// Where that fails, it is tried again after this long: the old one is good for days.
const TRIED_AFTER: Duration = Duration::from_secs(60);
/// A change is on the next list after this long at the latest, however long that takes to make.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// Between one list and the next in its place.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes that lists take at most; one that is larger than all of that is kept alone.
const MOST_BYTES: usize = 256 << 20;
/// The same with those that slow readers are still being sent, in kilobytes.
const MOST_LIVE: u32 = 1 << 20;
/// How many are made at the same time: making one of a million entries takes a processor for a while.
const AT_ONCE: usize = 2;

/// Which list: of which CA, and which of how many parts (their number first).
pub(super) type Key = (CaId, Option<(u16, u16)>);

pub(super) struct Crls {
    lists: Mutex<Lists>,
    /// Of each CA one list at a time is made.
    turns: Mutex<HashMap<CaId, Arc<Semaphore>>>,
    /// With keys that are here, which always sign.
    here: Arc<Semaphore>,
    /// With keys in a token, which may hang.
    in_token: Arc<Semaphore>,
    live: Arc<Semaphore>,
}

#[derive(Default)]
struct Lists {
    kept: HashMap<Key, Kept>,
    by_age: BTreeMap<u64, Key>,
    count: u64,
    bytes: usize,
}

struct Kept {
    made: Made,
    /// Its place in [`Lists::by_age`].
    age: u64,
    /// When making the next one failed last.
    failed: Option<Instant>,
}

impl Kept {
    fn is_spare(&self, changed: u64, now: Timestamp) -> bool {
        let served = &self.made.served;
        self.made.changed == changed && now >= served.this_update() && now < served.next_update()
    }
}

impl Lists {
    fn keep(&mut self, key: Key, made: Made, most_bytes: usize) {
        self.drop(&key);
        let age = self.count;
        self.count += 1;
        self.bytes += made.served.as_ref().len();
        self.by_age.insert(age, key);
        let failed = None;
        self.kept.insert(key, Kept { made, age, failed });
        while self.bytes > most_bytes && self.kept.len() > 1 {
            self.drop_oldest();
        }
    }

    /// False where there is none.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.by_age.first_key_value().map(|(_, key)| *key);
        oldest.is_some_and(|key| self.drop(&key))
    }

    fn drop(&mut self, key: &Key) -> bool {
        let Some(gone) = self.kept.remove(key) else {
            return false;
        };
        self.by_age.remove(&gone.age);
        self.bytes -= gone.made.served.as_ref().len();
        true
    }
}

/// A list, and what it was made of.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) served: CrlServed,
    /// [`super::state::State::changed`] at that time.
    pub(super) changed: u64,
    pub(super) at: Instant,
    /// How long making it took.
    pub(super) took: Duration,
}

impl Default for Crls {
    fn default() -> Self {
        Self {
            lists: Mutex::default(),
            turns: Mutex::default(),
            here: Arc::new(Semaphore::new(AT_ONCE)),
            in_token: Arc::new(Semaphore::new(AT_ONCE)),
            live: Arc::new(Semaphore::new(MOST_LIVE as usize)),
        }
    }
}

impl Crls {
    /// The list as it was made last, where it is still what it should be, or was made only just now: lists
    /// that change all the time are not to take a whole processor.
    pub(super) fn current(&self, key: &Key, changed: u64, now: Timestamp) -> Option<CrlServed> {
        let lists = self.lock();
        let kept = lists.kept.get(key)?;
        let made = &kept.made;
        let since = made.served.this_update();
        let old = now < since || now >= since + REMADE_AFTER;
        let recent = made.at.elapsed() < (made.took * 2).min(LONGEST_WAIT);
        let in_vain = kept.failed.is_some_and(|at| at.elapsed() < TRIED_AFTER);
        let good =
            (made.changed == changed && !old) || recent || (in_vain && kept.is_spare(changed, now));
        good.then(|| made.served.clone())
    }

    /// The list as it was made last, where that says what a new one would: to be told while no new one can
    /// be made.
    pub(super) fn spare(&self, key: &Key, changed: u64, now: Timestamp) -> Option<CrlServed> {
        let lists = self.lock();
        let kept = lists.kept.get(key)?;
        kept.is_spare(changed, now)
            .then(|| kept.made.served.clone())
    }

    /// A new one could not be made.
    pub(super) fn failed(&self, key: &Key) {
        if let Some(kept) = self.lock().kept.get_mut(key) {
            kept.failed = Some(Instant::now());
        }
    }

    /// How long the next one in this place has to wait.
    pub(super) fn pause(&self, key: &Key) -> Duration {
        let lists = self.lock();
        let last = lists.kept.get(key);
        last.map_or(Duration::ZERO, |kept| {
            PAUSE.saturating_sub(kept.made.at.elapsed())
        })
    }

    /// Whose turn it is to make a list of a CA.
    pub(super) fn turn(&self, ca: CaId) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let one = || Arc::new(Semaphore::new(1));
        turns.entry(ca).or_insert_with(one).clone()
    }

    /// To be held while a list is made.
    pub(super) fn making(&self, in_token: bool) -> Arc<Semaphore> {
        if in_token { &self.in_token } else { &self.here }.clone()
    }

    /// Room for a list of this many bytes, for as long as anybody has it; others go for it. `None` where
    /// slow readers hold too much.
    pub(super) fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let needed = u32::try_from(bytes >> 10).unwrap_or(MOST_LIVE);
        let needed = needed.saturating_add(1).min(MOST_LIVE);
        loop {
            match self.live.clone().try_acquire_many_owned(needed) {
                Ok(room) => return Some(room),
                Err(_) if self.lock().drop_oldest() => {}
                Err(_) => return None,
            }
        }
    }

    pub(super) fn keep(&self, key: Key, made: Made) {
        self.lock().keep(key, made, MOST_BYTES);
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    fn key(number: u16) -> Key {
        (CaId::from_bytes([7; 16]), Some((4096, number)))
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// One that was made at 1000, may be relied on until 100,000, and knows of one change.
    fn made(crls: &Crls, bytes: usize) -> Made {
        let room = crls.room(bytes).unwrap();
        Made {
            served: CrlServed::new(vec![0; bytes], room, at(1000), at(100_000)),
            changed: 1,
            at: Instant::now(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let crls = Crls::default();
        let mut lists = Lists::default();
        for number in 0..40 {
            lists.keep(key(number % 20), made(&crls, 1000), 10_000);
            assert_eq!(lists.bytes, lists.kept.len() * 1000);
            assert_eq!(lists.by_age.len(), lists.kept.len());
        }
        assert_eq!(lists.kept.len(), 10);
        assert!((10..20).all(|number| lists.kept.contains_key(&key(number))));
        lists.keep(key(99), made(&crls, 20_000), 10_000);
        assert_eq!(lists.kept.len(), 1);
    }

    #[test]
    fn what_slow_readers_hold_is_bounded() {
        let crls = Crls::default();
        let all = (MOST_LIVE as usize) << 10;
        let held = crls.room(all - 10 * MEGABYTE).unwrap();
        crls.keep(key(1), made(&crls, 6 * MEGABYTE));
        // Nobody reads the first one any more.
        crls.keep(key(2), made(&crls, 6 * MEGABYTE));
        assert!(crls.spare(&key(1), 1, at(1000)).is_none());
        let reader = crls.spare(&key(2), 1, at(1000)).unwrap();
        assert!(crls.room(6 * MEGABYTE).is_none());
        drop(reader);
        assert!(crls.room(6 * MEGABYTE).is_some());
        drop(held);
    }

    #[test]
    fn an_old_list_goes_on_while_no_new_one_can_be_made() {
        let crls = Crls::default();
        crls.keep(key(1), made(&crls, 100));
        let later = at(1000) + REMADE_AFTER;
        assert!(crls.current(&key(1), 1, at(1001)).is_some());
        assert!(crls.current(&key(1), 1, later).is_none());
        assert!(crls.spare(&key(1), 1, later).is_some());
        crls.failed(&key(1));
        assert!(crls.current(&key(1), 1, later).is_some());
        assert!(crls.current(&key(1), 2, later).is_none(), "it has changed");
        assert!(crls.spare(&key(1), 1, at(100_000)).is_none(), "it is over");
        assert!(crls.pause(&key(1)) > Duration::ZERO);
    }
}
