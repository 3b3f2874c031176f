//! Group commit: the jobs that wait are run one after another in one transaction, committed
//! once, and only then answered.
//!
//! A job that fails is undone without the others. Most that fail have written nothing yet, so
//! a batch is run without savepoints first: they cost a quarter of the writer's time. When a
//! job does fail after it has written, the batch is taken back and run again, each job under
//! its own savepoint, and so are some batches after it.
//!
//! On an engine with round trips, statements are put off in the hope that they take effect
//! (`put_off.rs`), and those of all jobs carried out as one. What a job refuses is never founded
//! on hope: it is run again without. Where a hope has failed before the commit, the batch is
//! taken back, and run again in halves until few jobs are left, which are run without hope.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_core::{Rng, explain};

use crate::StoreError;
use crate::ahead::{Ahead, Savepoint};
use crate::engine::{Engine, Step};
use crate::event_ids::EventIds;
use crate::job::Job;
use crate::queue::Queue;
use crate::seat::Seat;
use crate::stats::{Counters, Fared};
use crate::tx::{Left, Tx};

/// How often a lost race is run again before its jobs are told to come back later.
const ATTEMPTS: u32 = 12;
/// From this attempt on, a batch is run in halves: less to hold, and less to lose.
const HALVING: u32 = 4;

fn is_unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

/// A broken connection is replaced a few times, as the next one may be to a database that is being
/// stopped; if that does not help, nothing will.
fn attempts(error: &StoreError) -> u32 {
    if error.is_lost_race() { ATTEMPTS } else { 3 }
}

/// So many jobs are run without hope where one has failed among them.
const FEW: usize = 4;

/// How many batches are run with savepoints after one that needed them.
const WARY: u32 = 32;

/// One writing thread's work.
pub(crate) struct Writer {
    seat: Seat,
    ids: Arc<EventIds>,
    rng: Arc<dyn Rng>,
    counters: Arc<Counters>,
    wary: u32,
    /// Whether the log says that jobs can't be done.
    is_told: bool,
}

/// Some jobs, and how often they have been tried together.
struct Batch {
    entries: Vec<Entry>,
    attempt: u32,
    /// Whether statements may be put off.
    hopeful: bool,
}

impl Batch {
    /// Takes the later half out.
    fn split_off(&mut self) -> Self {
        Self {
            entries: self.entries.split_off(self.entries.len() / 2),
            attempt: self.attempt,
            hopeful: self.hopeful,
        }
    }
}

struct Entry {
    job: Box<dyn Job>,
    /// Why it can't be done, where that became clear before the commit.
    refusal: Option<StoreError>,
    fared: Fared,
}

impl Entry {
    /// A job whose turn has come.
    fn new(job: Box<dyn Job>) -> Self {
        let fared = Fared {
            waited: job.asked().elapsed(),
            ..Fared::default()
        };
        Self {
            job,
            refusal: None,
            fared,
        }
    }
}

/// Why a batch was not committed.
enum Setback {
    /// Others were quicker, or the connection broke before anything was committed.
    Again(StoreError),
    /// A job has to be undone, and there is no savepoint.
    Unguarded,
    /// What was put off did not come to what was hoped.
    Misjudged,
    /// One job broke the transaction for all: they are better off without it.
    Culprit(usize, StoreError),
    /// The commit failed, or there is no connection.
    Over(StoreError),
}

impl Writer {
    pub(crate) fn new(
        seat: Seat,
        ids: Arc<EventIds>,
        rng: Arc<dyn Rng>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            seat,
            ids,
            rng,
            counters,
            wary: 0,
            is_told: false,
        }
    }

    /// Works until the queue is closed and empty. `most` jobs go into a batch, `most_guarded` where each
    /// has a savepoint.
    pub(crate) fn run(mut self, queue: &Queue<Box<dyn Job>>, most: usize, most_guarded: usize) {
        loop {
            self.seat.ready(|| queue.is_closed());
            let most = if self.wary > 0 {
                most.min(most_guarded)
            } else {
                most
            };
            let Some(jobs) = queue.take(most) else {
                return;
            };
            let entries = jobs
                .into_iter()
                .filter(|job| job.is_wanted())
                .map(Entry::new)
                .collect();
            // The thread outlives whatever happens here: the callers of these jobs see their
            // answers cut off, and later ones find it at work.
            if catch_unwind(AssertUnwindSafe(|| self.settle(entries))).is_err() {
                tracing::error!("a writer of the store panicked");
                self.seat.lost();
            }
        }
    }

    /// Sees to it that every job is answered.
    fn settle(&mut self, entries: Vec<Entry>) {
        let mut todo = vec![Batch {
            entries,
            attempt: 0,
            hopeful: true,
        }];
        while let Some(mut batch) = todo.pop() {
            if batch.entries.is_empty() {
                continue;
            }
            match self.attempt(&mut batch.entries, batch.hopeful) {
                Ok(()) => {
                    if std::mem::take(&mut self.is_told) {
                        tracing::info!("jobs are done again");
                    }
                    self.answer(batch.entries);
                }
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
            Setback::Misjudged => {
                self.counters.rerun();
                if batch.entries.len() > FEW {
                    let half = batch.split_off();
                    todo.push(half);
                } else {
                    batch.hopeful = false;
                }
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
                    // The later half waits below the earlier one, so that the order stays.
                    let half = batch.split_off();
                    todo.push(half);
                }
                todo.push(batch);
            }
            Setback::Again(error) | Setback::Over(error) => {
                // Once: those who asked are told each time.
                if !std::mem::replace(&mut self.is_told, true) {
                    let jobs = batch.entries.len();
                    tracing::warn!(jobs, error = %explain(&error), "jobs could not be done");
                }
                self.refuse(batch.entries, &error);
            }
        }
    }

    /// Runs all of `entries` in one transaction.
    fn attempt(&mut self, entries: &mut [Entry], hopeful: bool) -> Result<(), Setback> {
        let mut engine = self.seat.take().map_err(Setback::Over)?;
        let done = self.transact(&mut *engine, entries, hopeful);
        match &done {
            // A broken connection is dropped; the next attempt opens another.
            Err(Setback::Again(error) | Setback::Over(error)) if is_unavailable(error) => {
                self.seat.lost();
            }
            Err(_) => match engine.step(Step::Rollback) {
                Ok(()) => self.seat.give_back(engine),
                Err(_) => self.seat.lost(),
            },
            Ok(()) => self.seat.give_back(engine),
        }
        done
    }

    fn transact(
        &mut self,
        engine: &mut dyn Engine,
        entries: &mut [Entry],
        hopeful: bool,
    ) -> Result<(), Setback> {
        engine.step(Step::Begin).map_err(|error| match error {
            // Nothing has begun, so that nothing is lost by trying once more.
            error @ StoreError::Unavailable(_) => Setback::Again(error),
            error => Setback::Over(error),
        })?;
        let alone = entries.len() == 1;
        let guarded = !alone && self.wary > 0;
        self.wary = self.wary.saturating_sub(1);
        let puts_off = engine.many().is_some();
        let hopeful = hopeful && !guarded && puts_off;
        let mut ahead = match (guarded, alone || puts_off) {
            (true, _) => Ahead::new(Savepoint::Unset, false),
            (false, true) => Ahead::new(Savepoint::Never, hopeful),
            (false, false) => Ahead::together(),
        };
        for (at, entry) in entries.iter_mut().enumerate() {
            let (mut success, mut left) = self.run_one(entry, engine, &mut ahead);
            if ahead.is_misjudged() {
                return Err(Setback::Misjudged);
            }
            if let Some(hopes) = &left.hopes
                && !(success && left.failure.is_none())
            {
                let lost = |error: &StoreError| error.is_lost_race() || is_unavailable(error);
                let is_lost = left.failure.as_ref().is_some_and(lost);
                if !is_lost && (left.wrote || left.failure.is_some()) {
                    return Err(Setback::Misjudged);
                }
                if !is_lost {
                    // What was refused in hope is not refused yet.
                    ahead.put_off.back_to(hopes);
                    ahead.is_hopeful = false;
                    (success, left) = self.run_one(entry, engine, &mut ahead);
                    ahead.is_hopeful = true;
                }
            }
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
                None if left.wrote && guarded => ahead.savepoint = Savepoint::Behind,
                None => {}
            }
        }
        if let Err(error) = ahead.carry_out(engine) {
            return Err(if ahead.is_misjudged() {
                Setback::Misjudged
            } else {
                Setback::Again(error)
            });
        }
        let started = Instant::now();
        let committed = engine.step(Step::Commit);
        self.counters.commit_took(started.elapsed());
        committed.map_err(|error| {
            if error.is_lost_race() {
                Setback::Again(error)
            } else {
                Setback::Over(error)
            }
        })
    }

    fn run_one(
        &mut self,
        entry: &mut Entry,
        engine: &mut dyn Engine,
        ahead: &mut Ahead,
    ) -> (bool, Left) {
        let mut tx = Tx::new(engine, &self.ids, ahead, entry.job.reads());
        let started = Instant::now();
        let success = entry.job.run(&mut tx);
        entry.fared.ran = started.elapsed();
        entry.fared.success = success;
        entry.refusal = None;
        (success, tx.left())
    }

    fn answer(&self, entries: Vec<Entry>) {
        self.counters.committed(entries.len());
        let answered = entries.iter().filter(|entry| entry.refusal.is_none());
        self.counters
            .fared(answered.map(|entry| (entry.job.name(), &entry.fared)));
        for entry in entries {
            match entry.refusal {
                None => {
                    entry.job.trace(&entry.fared);
                    entry.job.answer();
                }
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
        self.counters.failed(job.name());
        tracing::debug!(
            job = job.name(),
            error = %explain(&error),
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
