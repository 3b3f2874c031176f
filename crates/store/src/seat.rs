//! A thread's connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::StoreError;
use crate::engine::Engine;

/// Opens a connection of the engine's.
pub(crate) type Connect = Box<dyn FnMut() -> Result<Box<dyn Engine>, StoreError> + Send>;

/// A thread's connection, which is opened anew where it was lost.
pub(crate) struct Seat {
    connect: Connect,
    engine: Option<Box<dyn Engine>>,
    holds: bool,
    /// How many of the threads that share a queue have a connection.
    able: Arc<AtomicUsize>,
}

/// Between two attempts of an engine that takes no time over it.
const PAUSE: Duration = Duration::from_millis(50);

impl Seat {
    /// `engine` is the connection that there is already; none where none was granted.
    pub(crate) fn new(
        connect: Connect,
        engine: Option<Box<dyn Engine>>,
        able: Arc<AtomicUsize>,
    ) -> Self {
        let holds = engine.is_some();
        able.fetch_add(holds.into(), Relaxed);
        Self {
            connect,
            engine,
            holds,
            able,
        }
    }

    /// Waits for a connection as long as other threads have one: the jobs are theirs meanwhile. Where none has,
    /// somebody has to tell the jobs.
    pub(crate) fn ready(&mut self, is_closed: impl Fn() -> bool) {
        while !self.holds && self.able.load(Relaxed) > 0 && !is_closed() {
            match self.take() {
                Ok(engine) => self.give_back(engine),
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// The connection, a new one where there is none.
    pub(crate) fn take(&mut self) -> Result<Box<dyn Engine>, StoreError> {
        if let Some(engine) = self.engine.take() {
            return Ok(engine);
        }
        self.lost();
        let engine = (self.connect)()?;
        self.holds = true;
        self.able.fetch_add(1, Relaxed);
        Ok(engine)
    }

    /// Takes it back: it still works.
    pub(crate) fn give_back(&mut self, engine: Box<dyn Engine>) {
        self.engine = Some(engine);
    }

    /// It does not work any more, or who knows.
    pub(crate) fn lost(&mut self) {
        self.engine = None;
        if std::mem::take(&mut self.holds) {
            self.able.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lost();
    }
}
