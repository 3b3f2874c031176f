//! What the store has done so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enlist_core::{Durations, DurationsCounted};

/// The sizes of batches are counted in classes: 1, 2, 3 to 4, 5 to 8, and so on.
const CLASSES: usize = 12;

/// What a store has done since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Batches committed.
    pub batches: u64,
    /// Writing jobs committed, refusals that were decided in a job included.
    pub jobs: u64,
    /// The largest batch.
    pub largest: u64,
    /// How many batches had up to that many jobs: (most jobs, batches).
    pub sizes: Vec<(u64, u64)>,
    /// Batches that were run again after a lost race or a broken connection.
    pub reruns: u64,
    /// Jobs that could not be done.
    pub failed: u64,
    /// Reading jobs done.
    pub reads: u64,
    /// Writing jobs that wait now.
    pub waiting: usize,
    /// Reading jobs that wait now.
    pub reads_waiting: usize,
    /// How many writing jobs may wait; more are refused as busy.
    pub capacity: usize,
    /// How often the database's answer was waited for; 0 on SQLite, which answers at once.
    pub round_trips: u64,
    /// How long commits took.
    pub commits: DurationsCounted,
    /// What jobs of each name came to, by name.
    pub by_name: Vec<JobStats>,
}

/// What the jobs of one name have come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStats {
    /// Their name.
    pub name: &'static str,
    /// How many were done.
    pub done: u64,
    /// How many decided against it themselves, so that nothing of them is on record.
    pub refused: u64,
    /// How many could not be done.
    pub failed: u64,
    /// How long they waited for a thread.
    pub waited: DurationsCounted,
    /// How long they ran, without the commit.
    pub ran: DurationsCounted,
}

/// How a job fared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fared {
    /// How long it waited for a thread.
    pub(crate) waited: Duration,
    /// How long its last run took.
    pub(crate) ran: Duration,
    /// Whether that run did what it was for.
    pub(crate) success: bool,
}

#[derive(Debug, Default)]
struct OfName {
    done: u64,
    refused: u64,
    failed: u64,
    waited: Durations,
    ran: Durations,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    batches: AtomicU64,
    jobs: AtomicU64,
    largest: AtomicU64,
    sizes: [AtomicU64; CLASSES],
    reruns: AtomicU64,
    failed: AtomicU64,
    reads: AtomicU64,
    commits: Durations,
    /// Locked once a batch.
    by_name: Mutex<BTreeMap<&'static str, OfName>>,
}

impl Counters {
    /// Counts jobs that were answered with what they returned.
    pub(crate) fn fared<'a>(&self, jobs: impl Iterator<Item = (&'static str, &'a Fared)>) {
        let mut by_name = self.by_name();
        for (name, fared) in jobs {
            let of_name = by_name.entry(name).or_default();
            if fared.success {
                of_name.done += 1;
            } else {
                of_name.refused += 1;
            }
            of_name.waited.count(fared.waited);
            of_name.ran.count(fared.ran);
        }
    }

    /// Counts a commit that took so long.
    pub(crate) fn commit_took(&self, duration: Duration) {
        self.commits.count(duration);
    }

    fn by_name(&self) -> MutexGuard<'_, BTreeMap<&'static str, OfName>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn committed(&self, jobs: usize) {
        let class = (jobs.max(1).next_power_of_two().ilog2() as usize).min(CLASSES - 1);
        self.batches.fetch_add(1, Relaxed);
        self.jobs.fetch_add(jobs as u64, Relaxed);
        self.largest.fetch_max(jobs as u64, Relaxed);
        self.sizes[class].fetch_add(1, Relaxed);
    }

    pub(crate) fn rerun(&self) {
        self.reruns.fetch_add(1, Relaxed);
    }

    pub(crate) fn failed(&self, name: &'static str) {
        self.failed.fetch_add(1, Relaxed);
        self.by_name().entry(name).or_default().failed += 1;
    }

    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// What was done so far, but for what waits.
    pub(crate) fn snapshot(&self) -> Stats {
        let by_name = self.by_name();
        let by_name = by_name.iter().map(|(name, of_name)| JobStats {
            name,
            done: of_name.done,
            refused: of_name.refused,
            failed: of_name.failed,
            waited: of_name.waited.counted(),
            ran: of_name.ran.counted(),
        });
        Stats {
            batches: self.batches.load(Relaxed),
            jobs: self.jobs.load(Relaxed),
            largest: self.largest.load(Relaxed),
            sizes: (0..)
                .zip(&self.sizes)
                .map(|(class, count)| (1 << class, count.load(Relaxed)))
                .collect(),
            reruns: self.reruns.load(Relaxed),
            failed: self.failed.load(Relaxed),
            reads: self.reads.load(Relaxed),
            waiting: 0,
            reads_waiting: 0,
            capacity: 0,
            round_trips: 0,
            commits: self.commits.counted(),
            by_name: by_name.collect(),
        }
    }
}
