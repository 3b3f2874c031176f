//! What time it is on a device whose clock may be anything.
//!
//! A device may start in 1970 because it has no battery, or in 2099 because its battery died badly. So
//! the agent keeps a *floor*, a time that has certainly been reached: when the agent was built, and what
//! a server whose certificates hold has said since. It only rises, and survives restarts. Beside it, while
//! the agent runs, the last such word of a server is a *reference*: the time since then is counted by
//! the kernel, whatever happens to the clock of the system.

mod uptime;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enlist_core::{Clock, Timestamp};

pub use uptime::{BootTime, Uptime};

/// How far clocks may be apart and still agree.
const AGREEMENT: Duration = Duration::from_secs(5 * 60);
/// How far from this clock the word of a server is taken at once. Its certificates were verified by this
/// clock, so they hold at such a time too; beyond that, they have to be verified as of the server's.
const AT_ONCE: Duration = Duration::from_secs(3600);

/// When this agent was built: no time before it can be right. The build takes it from
/// `SOURCE_DATE_EPOCH` where that is set.
#[must_use]
pub fn built_at() -> Timestamp {
    Timestamp::from_secs(env!("ENLIST_BUILT_AT").parse().unwrap_or(0))
}

/// What time it most likely is, for those who only look and ask nobody: what the system's clock says, less
/// what it was ahead of the right one when a server last said the time, as long as that makes sense. `floor`
/// is the time that has certainly been reached, `ahead` is in seconds.
#[must_use]
pub fn likely(system: Timestamp, floor: Option<Timestamp>, ahead: i64) -> Timestamp {
    let floor = floor.map_or(built_at(), |floor| floor.max(built_at()));
    let corrected = Timestamp::from_millis(
        system
            .as_millis()
            .saturating_sub(ahead.saturating_mul(1000)),
    );
    // Whoever has put the clock right since has taken it across the floor.
    let is_still_wrong = if ahead > 0 {
        corrected + AGREEMENT >= floor
    } else {
        system < floor
    };
    let now = if is_still_wrong { corrected } else { system };
    now.max(floor)
}

/// The system's clock, above a floor that never sinks, and corrected by what a server has said.
pub struct DeviceClock {
    system: Arc<dyn Clock>,
    uptime: Arc<dyn Uptime>,
    known: Mutex<Known>,
}

/// Two points in time, each with the uptime at which it was so.
struct Known {
    floor: (Timestamp, Duration),
    reference: Option<(Timestamp, Duration)>,
}

/// A time that can't be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is before one that has been reached already")]
pub struct BelowFloor;

impl DeviceClock {
    /// A clock over that of the system, with the first floor.
    #[must_use]
    pub fn new(system: Arc<dyn Clock>, uptime: Arc<dyn Uptime>, floor: Timestamp) -> Self {
        let floor = (floor, uptime.elapsed());
        Self {
            system,
            uptime,
            known: Mutex::new(Known {
                floor,
                reference: None,
            }),
        }
    }

    /// Time that has certainly been reached.
    #[must_use]
    pub fn floor(&self) -> Timestamp {
        let elapsed = self.uptime.elapsed();
        self.known().floor_at(elapsed)
    }

    /// How long the machine has been up: time that nobody sets.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.uptime.elapsed()
    }

    /// Raises the floor to `time`, or leaves it where it is above that.
    pub fn raise(&self, time: Timestamp) {
        let elapsed = self.uptime.elapsed();
        let mut known = self.known();
        known.floor = (known.floor_at(elapsed).max(time), elapsed);
    }

    /// Whether a server has said the time since this clock was made.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.known().reference.is_some()
    }

    /// By how many seconds the system's clock is ahead of this one; 0 where they agree.
    #[must_use]
    pub fn system_ahead(&self) -> i64 {
        let (system, now) = (self.system.now(), self.now());
        if apart(system, now) <= AGREEMENT {
            return 0;
        }
        system.as_secs().saturating_sub(now.as_secs())
    }

    /// Whether the system's clock says what can't be, and nobody has said better yet.
    #[must_use]
    pub fn needs_asking(&self) -> bool {
        let known = self.known();
        known.reference.is_none() && self.system.now() < known.floor.0
    }

    /// A server whose certificates were verified by this clock says that it is `time`. Whether that was
    /// taken: it is not where the two are so far apart that the certificates would have to be verified
    /// as of `time`.
    #[must_use]
    pub fn hear(&self, time: Timestamp) -> bool {
        let near = apart(self.now(), time) <= AT_ONCE;
        if near {
            self.take(time);
        }
        near
    }

    /// A server whose certificates hold as of `time` says that this is the time.
    ///
    /// # Errors
    /// It is below the floor; nothing changes then.
    pub fn set(&self, time: Timestamp) -> Result<(), BelowFloor> {
        if time + AGREEMENT < self.floor() {
            return Err(BelowFloor);
        }
        self.take(time);
        Ok(())
    }

    fn take(&self, time: Timestamp) {
        let elapsed = self.uptime.elapsed();
        let mut known = self.known();
        known.floor = (known.floor_at(elapsed).max(time), elapsed);
        known.reference = Some((time, elapsed));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn floor_at(&self, elapsed: Duration) -> Timestamp {
        self.floor.0 + elapsed.saturating_sub(self.floor.1)
    }
}

impl Clock for DeviceClock {
    fn now(&self) -> Timestamp {
        let (system, elapsed) = (self.system.now(), self.uptime.elapsed());
        let known = self.known();
        let now = match known.reference {
            Some((time, at)) => {
                let counted = time + elapsed.saturating_sub(at);
                // The system's clock is finer, and kept by whoever keeps it.
                if apart(system, counted) <= AGREEMENT {
                    system
                } else {
                    counted
                }
            }
            None => system,
        };
        now.max(known.floor_at(elapsed))
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    const BUILT: i64 = 1_700_000_000;
    const DAY: i64 = 86_400;

    #[derive(Default)]
    struct World {
        system: AtomicI64,
        uptime: AtomicU64,
    }

    impl Clock for World {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.system.load(Ordering::Relaxed))
        }
    }

    impl Uptime for World {
        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.uptime.load(Ordering::Relaxed))
        }
    }

    impl World {
        fn clock(system: i64) -> (Arc<Self>, DeviceClock) {
            let world = Arc::new(Self::default());
            world.system.store(system, Ordering::Relaxed);
            let clock = DeviceClock::new(world.clone(), world.clone(), at(BUILT));
            (world, clock)
        }

        fn pass(&self, secs: u64) {
            self.uptime.fetch_add(secs, Ordering::Relaxed);
            let secs = i64::try_from(secs).unwrap();
            self.system.fetch_add(secs, Ordering::Relaxed);
        }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn a_clock_at_1970_shows_the_floor_and_goes_on_from_there() {
        let (world, clock) = World::clock(0);
        assert!(clock.needs_asking());
        assert_eq!(clock.now(), at(BUILT));
        world.pass(60);
        assert_eq!(clock.now(), at(BUILT + 60));
        clock.set(at(BUILT + 400 * DAY)).unwrap();
        world.pass(60);
        assert_eq!(clock.now(), at(BUILT + 400 * DAY + 60));
        assert!(!clock.needs_asking());
    }

    #[test]
    fn a_time_below_the_floor_is_refused() {
        let (_, clock) = World::clock(BUILT + DAY);
        assert_eq!(clock.set(at(BUILT - DAY)), Err(BelowFloor));
        assert!(!clock.is_sure());
        clock.raise(at(BUILT + 9 * DAY));
        clock.raise(at(BUILT));
        assert_eq!(clock.floor(), at(BUILT + 9 * DAY), "it only rises");
        assert_eq!(clock.set(at(BUILT + 8 * DAY)), Err(BelowFloor));
    }

    #[test]
    fn a_server_is_taken_at_its_word_only_near_this_clock() {
        let (_, clock) = World::clock(BUILT + DAY);
        assert!(!clock.hear(at(BUILT + 3 * DAY)));
        assert_eq!(clock.now(), at(BUILT + DAY));
        assert!(clock.hear(at(BUILT + DAY + 600)));
        assert_eq!(clock.floor(), at(BUILT + DAY + 600));
    }

    #[test]
    fn a_jump_of_ten_years_either_way_changes_nothing_while_the_agent_runs() {
        for jump in [-3650 * DAY, 3650 * DAY] {
            let (world, clock) = World::clock(BUILT + DAY);
            assert!(clock.hear(at(BUILT + DAY)));
            world.system.fetch_add(jump, Ordering::Relaxed);
            world.pass(3600);
            assert_eq!(clock.now(), at(BUILT + DAY + 3600));
        }
    }

    #[test]
    fn the_systems_clock_counts_again_once_it_agrees() {
        let (world, clock) = World::clock(0);
        clock.set(at(BUILT + DAY)).unwrap();
        world.system.store(BUILT + DAY + 200, Ordering::Relaxed);
        assert_eq!(clock.now(), at(BUILT + DAY + 200));
    }

    #[test]
    fn whoever_only_looks_sees_the_likely_time() {
        let built = built_at().as_secs();
        let (now, floor) = (at(built + 9 * DAY), Some(at(built + 8 * DAY)));
        for ahead in [0, 72 * 365 * DAY, -50 * 365 * DAY, -5 * DAY] {
            let system = at(now.as_secs() + ahead);
            assert_eq!(likely(system, floor, ahead), now, "{ahead}");
            assert_eq!(likely(now, floor, ahead), now, "{ahead}: put right since");
        }
        assert_eq!(likely(at(0), None, 0), at(built));
    }

    #[test]
    fn a_clock_in_2099_does_not_raise_the_floor() {
        let (_, clock) = World::clock(4_070_908_800);
        assert_eq!(clock.floor(), at(BUILT));
        clock.set(at(BUILT + DAY)).unwrap();
        assert_eq!(clock.now(), at(BUILT + DAY));
    }
}
