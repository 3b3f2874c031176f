//! Reading jobs, each over one unchanging view of the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use enlist_core::Rng;

use crate::StoreError;
use crate::engine::{Engine, Step};
use crate::event_ids::EventIds;
use crate::job::Job;
use crate::queue::Queue;
use crate::stats::Counters;
use crate::tx::{Savepoint, Tx};
use crate::writer::Connect;

/// One reading thread's work.
pub(crate) struct Reader {
    connect: Connect,
    engine: Option<Box<dyn Engine>>,
    ids: EventIds,
    counters: Arc<Counters>,
}

impl Reader {
    pub(crate) fn new(
        connect: Connect,
        engine: Option<Box<dyn Engine>>,
        rng: Arc<dyn Rng>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            connect,
            engine,
            ids: EventIds::new(rng),
            counters,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue<Box<dyn Job>>) {
        while let Some(jobs) = queue.take(1) {
            for job in jobs.into_iter().filter(|job| job.is_wanted()) {
                // As in the writer: the thread outlives whatever happens here.
                if catch_unwind(AssertUnwindSafe(|| self.settle(job))).is_err() {
                    tracing::error!("a reader of the store panicked");
                    self.engine = None;
                }
            }
        }
    }

    fn settle(&mut self, mut job: Box<dyn Job>) {
        // A connection that went stale unnoticed is worth one more try.
        let done = match self.attempt(&mut *job) {
            Err(StoreError::Unavailable(_) | StoreError::Contended(_)) => self.attempt(&mut *job),
            done => done,
        };
        match done {
            Ok(()) => {
                self.counters.read();
                job.answer();
            }
            Err(error) => {
                self.counters.failed(1);
                job.refuse(error);
            }
        }
    }

    fn attempt(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        let mut engine = match self.engine.take() {
            Some(engine) => engine,
            None => (self.connect)()?,
        };
        let mut savepoint = Savepoint::Never;
        engine.step(Step::BeginRead)?;
        let mut tx = Tx::new(&mut *engine, &mut self.ids, &mut savepoint, true);
        job.run(&mut tx);
        let done = tx.left().failure.map_or(Ok(()), Err);
        // There is nothing to keep.
        engine.step(Step::Rollback)?;
        self.engine = Some(engine);
        done
    }
}
