//! The store: its threads, and the two ways to give them work.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use enlist_core::Rng;
use tokio::sync::oneshot;

use crate::copy::refuse_unfinished;
use crate::directory::Directory;
use crate::engine::Engine;
use crate::event_ids::EventIds;
use crate::job::{Job, Named, span};
use crate::migrate::migrate;
use crate::plan::Plan;
use crate::postgres::OutOfReach;
use crate::queue::{Queue, Refused};
use crate::reader::Reader;
use crate::seat::{Connect, Seat};
use crate::sqlite::Sqlite;
use crate::stats::Counters;
use crate::tx::Tx;
use crate::writer::Writer;
use crate::{Location, OpenError, Stats, StoreError, Tuning};

type Jobs = Arc<Queue<Box<dyn Job>>>;

/// Where everything is recorded. Work is given to it as named jobs.
///
/// Dropping it finishes the jobs that wait, and then blocks until its threads have ended.
pub struct Store {
    writes: Jobs,
    /// None in memory, where the writer reads too.
    reads: Option<Jobs>,
    ids: Arc<EventIds>,
    counters: Arc<Counters>,
    round_trips: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
    // Given back after the threads have ended.
    directory: Option<Directory>,
}

impl Store {
    /// Opens a store, makes it where there is none, and brings its schema up to date. Blocks.
    ///
    /// # Errors
    /// When another server has the data directory open, the schema is of a newer version, the
    /// disk is full, or the database can't be used.
    pub fn open(location: Location, rng: Arc<dyn Rng>) -> Result<Self, OpenError> {
        Self::open_tuned(location, rng, &Tuning::default())
    }

    /// As [`Store::open`], with other limits than the default ones.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[allow(
        clippy::needless_pass_by_value,
        reason = "as open, which is given it to keep"
    )]
    pub fn open_tuned(
        location: Location,
        rng: Arc<dyn Rng>,
        tuning: &Tuning,
    ) -> Result<Self, OpenError> {
        let mut directory = None;
        let plan = match location {
            Location::Memory => Plan::memory(),
            Location::File(path) => {
                let directory = directory.insert(Directory::open(&path)?);
                Plan::file(directory.database()?, tuning)
            }
            Location::Postgres(url) => Plan::postgres(&url, tuning)?,
        };
        let mut store = Self {
            writes: Arc::new(Queue::new(tuning.queue)),
            reads: (plan.readers > 0).then(|| Arc::new(Queue::new(tuning.queue))),
            ids: Arc::new(EventIds::new(Arc::clone(&rng))),
            counters: Arc::default(),
            round_trips: Arc::clone(&plan.round_trips),
            threads: Vec::new(),
            directory,
        };
        store.start(&plan, &rng, tuning)?;
        Ok(store)
    }

    /// Runs a job that may write, and returns what it returned once that is durably committed.
    /// `name` tells jobs apart in logs and metrics. Where `job` returns an error, nothing of it
    /// is recorded. It may be run several times; dropping the future does not stop it.
    ///
    /// # Errors
    /// What `job` returns, or that it could not be run or committed.
    pub async fn write<T, E>(
        &self,
        name: &'static str,
        job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        submit(&self.writes, (name, 1), false, job).await
    }

    /// As [`Store::write`], for a job that holds a lot while it waits: `weight` is how many plain jobs it is
    /// as large as. What waits is bounded by weight, so that memory is.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_weighing<T, E>(
        &self,
        name: &'static str,
        weight: usize,
        job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        submit(&self.writes, (name, weight), false, job).await
    }

    /// Runs a job that only reads. It sees the database as it was at one moment, with all that
    /// was committed before.
    ///
    /// # Errors
    /// What `job` returns, or that it could not be run.
    pub async fn read<T, E>(
        &self,
        name: &'static str,
        job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let queue = self.reads.as_ref().unwrap_or(&self.writes);
        submit(queue, (name, 1), true, job).await
    }

    /// On SQLite, empties the write-ahead log, so that what was deleted or replaced is not in it either.
    /// PostgreSQL has a log of its own. Blocks.
    ///
    /// # Errors
    /// When others read or write for too long, or the database can't be used.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        match &self.directory {
            Some(directory) => Sqlite::empty_log(&directory.database_path()),
            None => Ok(()),
        }
    }

    /// What has been done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            waiting: self.writes.len(),
            reads_waiting: self.reads.as_ref().map_or(0, |reads| reads.len()),
            capacity: self.writes.capacity(),
            round_trips: self.round_trips.load(Relaxed),
            ..self.counters.snapshot()
        }
    }

    /// Finishes the jobs that wait, takes no new ones, and gives the database back. Blocks.
    pub fn close(self) {}

    fn start(&mut self, plan: &Plan, rng: &Arc<dyn Rng>, tuning: &Tuning) -> Result<(), OpenError> {
        let (writers, readers) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        // One of each first, in case there are not connections enough for all.
        for number in 0..plan.writers.max(plan.readers) {
            if number < plan.writers {
                self.start_writer(number, plan, rng, tuning, &writers)?;
            }
            if number < plan.readers {
                self.start_reader(number, plan, &readers)?;
            }
        }
        Ok(())
    }

    fn start_writer(
        &mut self,
        number: usize,
        plan: &Plan,
        rng: &Arc<dyn Rng>,
        tuning: &Tuning,
        able: &Arc<AtomicUsize>,
    ) -> Result<(), OpenError> {
        let most = plan.batch.min(tuning.batch).max(1);
        let most_guarded = plan.guarded_batch;
        let (queue, ids, counters) = self.shared(&self.writes);
        let (able, rng) = (Arc::clone(able), Arc::clone(rng));
        let needed = if number == 0 {
            Needed::First
        } else {
            Needed::Not
        };
        self.spawn(
            format!("store-write-{number}"),
            (plan.connect_writer)(),
            needed,
            move |connect, engine| {
                let seat = Seat::new(connect, engine, able);
                Writer::new(seat, ids, rng, counters).run(&queue, most, most_guarded);
            },
        )
    }

    fn start_reader(
        &mut self,
        number: usize,
        plan: &Plan,
        able: &Arc<AtomicUsize>,
    ) -> Result<(), OpenError> {
        let Some(reads) = &self.reads else {
            return Ok(());
        };
        let (queue, ids, counters) = self.shared(reads);
        let able = Arc::clone(able);
        let needed = if number == 0 {
            Needed::One
        } else {
            Needed::Not
        };
        self.spawn(
            format!("store-read-{number}"),
            (plan.connect_reader)(),
            needed,
            move |connect, engine| {
                let seat = Seat::new(connect, engine, able);
                Reader::new(seat, ids, counters).run(&queue);
            },
        )
    }

    fn shared(&self, queue: &Jobs) -> (Jobs, Arc<EventIds>, Arc<Counters>) {
        (
            Arc::clone(queue),
            Arc::clone(&self.ids),
            Arc::clone(&self.counters),
        )
    }

    /// Starts a thread, waits until it has its connection, and has the schema brought up to
    /// date where it is the first. Connecting is done on the thread itself: the PostgreSQL
    /// client can't be used inside an async runtime. One that is not needed starts without, too, where the
    /// database grants no more of them, and has it as soon as it does.
    fn spawn(
        &mut self,
        name: String,
        mut connect: Connect,
        needed: Needed,
        work: impl FnOnce(Connect, Option<Box<dyn Engine>>) + Send + 'static,
    ) -> Result<(), OpenError> {
        let (ready, is_ready) = mpsc::channel();
        let thread = Builder::new()
            .name(name)
            .spawn(move || {
                let opened = connect().map_err(OpenError::from).and_then(|mut engine| {
                    if needed == Needed::First {
                        migrate(&mut *engine)?;
                        refuse_unfinished(&mut *engine)?;
                    }
                    Ok(Some(engine))
                });
                let opened = match opened {
                    Err(OpenError::Database(error))
                        if needed == Needed::Not
                            && OutOfReach::of(&error).is_some_and(OutOfReach::is_crowded) =>
                    {
                        Ok(None)
                    }
                    opened => opened,
                };
                match opened {
                    Ok(engine) => {
                        let _ = ready.send(Ok(()));
                        work(connect, engine);
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            })
            .map_err(OpenError::Thread)?;
        self.threads.push(thread);
        is_ready
            .recv()
            .unwrap_or(Err(OpenError::Database(StoreError::Closed)))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.writes.close();
        if let Some(reads) = &self.reads {
            reads.close();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

/// Whether a thread has to have its connection when the store opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// It has, and brings the schema up to date.
    First,
    /// It has.
    One,
    /// Others do the same work.
    Not,
}

async fn submit<T, E>(
    queue: &Queue<Box<dyn Job>>,
    (name, weight): (&'static str, usize),
    reads: bool,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job = Named {
        name,
        reads,
        work,
        result: None,
        reply,
        asked: Instant::now(),
        span: span(name, reads),
    };
    queue
        .push(Box::new(job), weight)
        .map_err(|refused| match refused {
            Refused::Full => StoreError::Busy,
            Refused::Closed => StoreError::Closed,
        })?;
    answer
        .await
        .unwrap_or_else(|_| Err(StoreError::Closed.into()))
}
