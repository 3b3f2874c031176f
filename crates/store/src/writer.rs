//! Group commit: the jobs that wait are run one after another in one transaction, committed
//! once, and only then answered.
//!
//! A job that fails is undone without the others. Most that fail have written nothing yet, so
//! a batch is run without savepoints first: they cost a quarter of the writer's time. When a
//! job does fail after it has written, the batch is taken back and run again, each job under
//! its own savepoint, and so are some batches after it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use enlist_core::Rng;

use crate::StoreError;
use crate::engine::{Engine, Step};
use crate::event_ids::EventIds;
use crate::job::Job;
use crate::queue::Queue;
use crate::stats::Counters;
use crate::tx::{Savepoint, Tx};

/// How often a lost race is run again before its jobs are told to come back later.
const ATTEMPTS: u32 = 12;
/// From this attempt on, a batch is run in halves: less to hold, and less to lose.
const HALVING: u32 = 4;

fn is_unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

/// A broken connection is replaced once; if that does not help, nothing will.
fn attempts(error: &StoreError) -> u32 {
    if error.is_lost_race() { ATTEMPTS } else { 1 }
}

/// How many batches are run with savepoints after one that needed them.
const WARY: u32 = 32;

/// Opens a connection of the engine's.
pub(crate) type Connect = Box<dyn FnMut() -> Result<Box<dyn Engine>, StoreError> + Send>;

/// One writing thread's work.
pub(crate) struct Writer {
    connect: Connect,
    engine: Option<Box<dyn Engine>>,
    ids: EventIds,
    rng: Arc<dyn Rng>,
    counters: Arc<Counters>,
    wary: u32,
}

/// Some jobs, and how often they have been tried together.
struct Batch {
    entries: Vec<Entry>,
    attempt: u32,
}

struct Entry {
    job: Box<dyn Job>,
    /// Why it can't be done, where that became clear before the commit.
    refusal: Option<StoreError>,
}

/// Why a batch was not committed.
enum Setback {
    /// Others were quicker, or the connection broke before anything was committed.
    Again(StoreError),
    /// A job has to be undone, and there is no savepoint.
    Unguarded,
    /// One job broke the transaction for all: they are better off without it.
    Culprit(usize, StoreError),
    /// The commit failed, or there is no connection.
    Over(StoreError),
}

impl Writer {
    pub(crate) fn new(
        connect: Connect,
        engine: Option<Box<dyn Engine>>,
        rng: Arc<dyn Rng>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            connect,
            engine,
            ids: EventIds::new(Arc::clone(&rng)),
            rng,
            counters,
            wary: 0,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue<Box<dyn Job>>, most: usize) {
        while let Some(jobs) = queue.take(most) {
            let entries = jobs
                .into_iter()
                .filter(|job| job.is_wanted())
                .map(|job| Entry { job, refusal: None })
                .collect();
            // The thread outlives whatever happens here: the callers of these jobs see their
            // answers cut off, and later ones find it at work.
            if catch_unwind(AssertUnwindSafe(|| self.settle(entries))).is_err() {
                tracing::error!("a writer of the store panicked");
                self.engine = None;
            }
        }
    }

    /// Sees to it that every job is answered.
    fn settle(&mut self, entries: Vec<Entry>) {
        let mut todo = vec![Batch {
            entries,
            attempt: 0,
        }];
        while let Some(mut batch) = todo.pop() {
            if batch.entries.is_empty() {
                continue;
            }
            match self.attempt(&mut batch.entries) {
                Ok(()) => self.answer(batch.entries),
                Err(setback) => self.recover(batch, setback, &mut todo),
            }
        }
    }

    fn recover(&mut self, mut batch: Batch, setback: Setback, todo: &mut Vec<Batch>) {
        match setback {
            Setback::Unguarded => {
                self.wary = WARY;
                todo.push(batch);
            }
            Setback::Culprit(at, error) => {
                let culprit = batch.entries.remove(at);
                self.refuse(vec![culprit], &error);
                todo.push(batch);
            }
            Setback::Again(error) if batch.attempt < attempts(&error) => {
                self.counters.rerun();
                batch.attempt += 1;
                self.pause(batch.attempt);
                if batch.attempt >= HALVING && batch.entries.len() > 1 {
                    let half = batch.entries.split_off(batch.entries.len() / 2);
                    // The later half waits below the earlier one, so that the order stays.
                    todo.push(Batch {
                        entries: half,
                        attempt: batch.attempt,
                    });
                }
                todo.push(batch);
            }
            Setback::Again(error) | Setback::Over(error) => {
                tracing::warn!(
                    jobs = batch.entries.len(),
                    error = &error as &dyn std::error::Error,
                    "jobs could not be done"
                );
                self.refuse(batch.entries, &error);
            }
        }
    }

    /// Runs all of `entries` in one transaction.
    fn attempt(&mut self, entries: &mut [Entry]) -> Result<(), Setback> {
        let mut engine = match self.engine.take() {
            Some(engine) => engine,
            None => (self.connect)().map_err(Setback::Over)?,
        };
        let done = self.transact(&mut *engine, entries);
        match &done {
            // A broken connection is dropped; the next attempt opens another.
            Err(Setback::Again(error) | Setback::Over(error)) if is_unavailable(error) => {}
            Err(_) => {
                if engine.step(Step::Rollback).is_ok() {
                    self.engine = Some(engine);
                }
            }
            Ok(()) => self.engine = Some(engine),
        }
        done
    }

    fn transact(&mut self, engine: &mut dyn Engine, entries: &mut [Entry]) -> Result<(), Setback> {
        engine.step(Step::Begin).map_err(|error| match error {
            // Nothing has begun, so that nothing is lost by trying once more.
            error @ StoreError::Unavailable(_) => Setback::Again(error),
            error => Setback::Over(error),
        })?;
        let alone = entries.len() == 1;
        let guarded = !alone && self.wary > 0;
        self.wary = self.wary.saturating_sub(1);
        let mut savepoint = if guarded {
            Savepoint::Unset
        } else {
            Savepoint::Never
        };
        for (at, entry) in entries.iter_mut().enumerate() {
            let mut tx = Tx::new(engine, &mut self.ids, &mut savepoint, entry.job.reads());
            let success = entry.job.run(&mut tx);
            let left = tx.left();
            entry.refusal = None;
            let dirty = left.wrote && !(success && left.failure.is_none());
            match left.failure {
                Some(error) if error.is_lost_race() || is_unavailable(&error) => {
                    return Err(Setback::Again(error));
                }
                Some(error) if alone => return Err(Setback::Culprit(at, error)),
                // The refusal stands; there is nothing to make durable.
                None if dirty && alone => {
                    return engine.step(Step::Rollback).map_err(Setback::Over);
                }
                _ if dirty && !guarded => return Err(Setback::Unguarded),
                Some(error) if dirty => {
                    if engine.step(Step::Undo).is_err() {
                        return Err(Setback::Culprit(at, error));
                    }
                    entry.refusal = Some(error);
                }
                Some(error) if engine.survives_errors() => entry.refusal = Some(error),
                Some(error) => return Err(Setback::Culprit(at, error)),
                None if dirty => engine.step(Step::Undo).map_err(Setback::Again)?,
                None if left.wrote && guarded => savepoint = Savepoint::Behind,
                None => {}
            }
        }
        engine.step(Step::Commit).map_err(|error| {
            if error.is_lost_race() {
                Setback::Again(error)
            } else {
                Setback::Over(error)
            }
        })
    }

    fn answer(&self, entries: Vec<Entry>) {
        self.counters.committed(entries.len());
        for entry in entries {
            match entry.refusal {
                None => entry.job.answer(),
                Some(error) => self.refuse_one(entry.job, error),
            }
        }
    }

    fn refuse(&self, entries: Vec<Entry>, error: &StoreError) {
        for entry in entries {
            self.refuse_one(entry.job, error.clone());
        }
    }

    fn refuse_one(&self, job: Box<dyn Job>, error: StoreError) {
        self.counters.failed(1);
        tracing::debug!(
            job = job.name(),
            error = &error as &dyn std::error::Error,
            "a job could not be done"
        );
        job.refuse(error);
    }

    /// Waits a little, and not as long as the other who lost.
    fn pause(&self, attempt: u32) {
        let mut byte = [0];
        self.rng.fill(&mut byte);
        let most = u64::from(attempt.min(8)) * 2_000;
        std::thread::sleep(Duration::from_micros(most * u64::from(byte[0]) / 255));
    }
}
