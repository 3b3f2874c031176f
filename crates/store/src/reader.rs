//! Reading jobs, each over one unchanging view of the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::StoreError;
use crate::ahead::Ahead;
use crate::engine::Step;
use crate::event_ids::EventIds;
use crate::job::Job;
use crate::queue::Queue;
use crate::seat::Seat;
use crate::stats::{Counters, Fared};
use crate::tx::Tx;

/// One reading thread's work.
pub(crate) struct Reader {
    seat: Seat,
    ids: Arc<EventIds>,
    counters: Arc<Counters>,
}

impl Reader {
    pub(crate) fn new(seat: Seat, ids: Arc<EventIds>, counters: Arc<Counters>) -> Self {
        Self {
            seat,
            ids,
            counters,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue<Box<dyn Job>>) {
        loop {
            self.seat.ready(|| queue.is_closed());
            let Some(jobs) = queue.take(1) else {
                return;
            };
            for job in jobs.into_iter().filter(|job| job.is_wanted()) {
                // As in the writer: the thread outlives whatever happens here.
                if catch_unwind(AssertUnwindSafe(|| self.settle(job))).is_err() {
                    tracing::error!("a reader of the store panicked");
                    self.seat.lost();
                }
            }
        }
    }

    fn settle(&mut self, mut job: Box<dyn Job>) {
        let mut fared = Fared {
            waited: job.asked().elapsed(),
            ..Fared::default()
        };
        let mut attempt = |job: &mut dyn Job| -> Result<(), StoreError> {
            let started = Instant::now();
            fared.success = self.attempt(job)?;
            fared.ran = started.elapsed();
            Ok(())
        };
        // A connection that went stale unnoticed is worth one more try.
        let done = match attempt(&mut *job) {
            Err(StoreError::Unavailable(_) | StoreError::Contended(_)) => attempt(&mut *job),
            done => done,
        };
        match done {
            Ok(()) => {
                self.counters.read();
                self.counters.fared([(job.name(), &fared)].into_iter());
                job.trace(&fared);
                job.answer();
            }
            Err(error) => {
                self.counters.failed(job.name());
                job.refuse(error);
            }
        }
    }

    /// Says whether the job did what it was for.
    fn attempt(&mut self, job: &mut dyn Job) -> Result<bool, StoreError> {
        let mut engine = self.seat.take()?;
        let mut ahead = Ahead::alone();
        engine.step(Step::BeginRead)?;
        let mut tx = Tx::new(&mut *engine, &self.ids, &mut ahead, true);
        let success = job.run(&mut tx);
        let done = tx.left().failure.map_or(Ok(success), Err);
        if matches!(done, Err(StoreError::Unavailable(_))) {
            // The next attempt opens another.
            self.seat.lost();
            return done;
        }
        // There is nothing to keep.
        engine.step(Step::Rollback)?;
        self.seat.give_back(engine);
        done
    }
}
