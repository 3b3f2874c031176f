//! Whether this server's clock goes with the database's, and so with those of the other servers.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use enlist_core::Timestamp;

use crate::{Error, Ops};

/// How far a clock is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockOff {
    /// It is ahead by that.
    Ahead(Duration),
    /// It is behind by that.
    Behind(Duration),
}

/// What was found last, milliseconds ahead.
#[derive(Default)]
pub(crate) struct LastFound(AtomicI64);

impl Ops {
    /// How far this server's clock is off the database's, at least. `None` where they agree as far as can be
    /// told, and where the database has no other clock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clock_off(&self) -> Result<Option<ClockOff>, Error> {
        let asked = self.now();
        let said = self
            .inner
            .store
            .read("compare_clocks", |tx| Ok::<_, Error>(tx.database_clock()?))
            .await?;
        let off = said.and_then(|said| ClockOff::between(asked, said, self.now()));
        let ahead = off.map_or(0, ClockOff::ahead_ms);
        self.inner.clock_off.0.store(ahead, Ordering::Relaxed);
        Ok(off)
    }

    /// How far this server's clock was ahead of the database's when [`Ops::clock_off`] last looked,
    /// milliseconds; below 0 where it was behind, 0 where they agreed.
    pub fn clock_was_ahead_ms(&self) -> i64 {
        self.inner.clock_off.0.load(Ordering::Relaxed)
    }
}

impl ClockOff {
    /// Of a clock that said `asked` before the other said `said`, and `answered` after it.
    fn between(asked: Timestamp, said: Timestamp, answered: Timestamp) -> Option<Self> {
        if asked > said {
            Some(Self::Ahead(asked.since(said)))
        } else if said > answered {
            Some(Self::Behind(said.since(answered)))
        } else {
            None
        }
    }

    fn ahead_ms(self) -> i64 {
        let by = i64::try_from(self.by().as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::Ahead(_) => by,
            Self::Behind(_) => -by,
        }
    }

    /// By how much, whichever way.
    #[must_use]
    pub fn by(self) -> Duration {
        let (Self::Ahead(by) | Self::Behind(by)) = self;
        by
    }
}

impl fmt::Display for ClockOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self {
            Self::Ahead(_) => "ahead",
            Self::Behind(_) => "behind",
        };
        write!(f, "{:.1} s {way}", self.by().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_the_way_of_the_question_is_no_difference() {
        let at = Timestamp::from_secs;
        let between = |asked, said, answered| ClockOff::between(at(asked), at(said), at(answered));
        assert_eq!(between(100, 100, 100), None);
        assert_eq!(between(100, 105, 110), None);
        let (ahead, behind) = (Duration::from_secs(5), Duration::from_secs(3));
        assert_eq!(between(105, 100, 106), Some(ClockOff::Ahead(ahead)));
        assert_eq!(between(100, 104, 101), Some(ClockOff::Behind(behind)));
        assert_eq!(ClockOff::Behind(behind).ahead_ms(), -3000);
        assert_eq!(ClockOff::Behind(behind).to_string(), "3.0 s behind");
    }
}
