//! What the store has done so far.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
}

impl Counters {
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

    pub(crate) fn failed(&self, jobs: usize) {
        self.failed.fetch_add(jobs as u64, Relaxed);
    }

    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    pub(crate) fn snapshot(&self, waiting: usize) -> Stats {
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
            waiting,
        }
    }
}
