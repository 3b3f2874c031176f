//! Connecting again, and again.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use enlist_core::explain;

use super::{Address, OutOfReach, Postgres};
use crate::StoreError;

/// How long jobs wait for a database that has just gone: as long as a restart takes, or a standby that is
/// promoted at once. After that they are told, and the next ones sooner.
const PATIENCE: Duration = Duration::from_secs(4);
/// The first pause; each is twice the one before.
const FIRST: Duration = Duration::from_millis(25);
/// The longest.
const LONGEST: Duration = Duration::from_secs(1);

/// Opens connections for one thread, and waits longer from one failure to the next, so that a database
/// that is away is not asked all the time.
pub(crate) struct Patience {
    address: Address,
    failures: u32,
    /// Whether the jobs that wait now are to be told.
    spent: bool,
    /// Whether this thread is one of those that were not granted a connection.
    lacks: bool,
}

impl Patience {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            failures: 0,
            spent: false,
            lacks: false,
        }
    }

    /// A connection; an error once patience is at its end, or where waiting does not help.
    pub(crate) fn connect(&mut self) -> Result<Postgres, StoreError> {
        let began = Instant::now();
        loop {
            if self.failures > 0 {
                std::thread::sleep(pause(self.failures));
            }
            let error = match Postgres::connect(&self.address) {
                Ok(postgres) => {
                    self.granted();
                    return Ok(postgres);
                }
                Err(error) => error,
            };
            self.refused(&error);
            if self.spent || !may_pass(&error) || began.elapsed() >= PATIENCE {
                self.spent = true;
                return Err(error);
            }
        }
    }

    fn granted(&mut self) {
        (self.failures, self.spent) = (0, false);
        if self.address.away.swap(false, Relaxed) {
            tracing::info!("the database is back");
        }
        if std::mem::take(&mut self.lacks) && self.address.lacking.fetch_sub(1, Relaxed) == 1 {
            tracing::info!("this server has all its connections to the database");
        }
    }

    /// Says it once for all threads.
    fn refused(&mut self, error: &StoreError) {
        self.failures = self.failures.saturating_add(1);
        let is_crowded = OutOfReach::of(error).is_some_and(OutOfReach::is_crowded);
        let error = explain(error);
        if is_crowded {
            if !std::mem::replace(&mut self.lacks, true)
                && self.address.lacking.fetch_add(1, Relaxed) == 0
            {
                tracing::warn!(
                    error,
                    "this server has fewer connections to the database than it wants"
                );
            }
        } else if !self.address.away.swap(true, Relaxed) {
            tracing::warn!(error, "the database can't be used");
        }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if self.lacks {
            self.address.lacking.fetch_sub(1, Relaxed);
        }
    }
}

fn pause(failures: u32) -> Duration {
    let times = 1 << failures.saturating_sub(1).min(10);
    (FIRST * times).min(LONGEST)
}

/// Where all connections are taken, those who have one go on, and this thread does not hold jobs up.
fn may_pass(error: &StoreError) -> bool {
    match (error, OutOfReach::of(error)) {
        (_, Some(out_of_reach)) => out_of_reach.may_pass() && !out_of_reach.is_crowded(),
        (StoreError::Unavailable(_), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second() {
        let pauses: Vec<_> = (1..9).map(|n| pause(n).as_millis()).collect();
        assert_eq!(pauses, [25, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(pause(u32::MAX), LONGEST);
    }
}
