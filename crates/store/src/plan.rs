//! How a store is staffed: its threads, and how each of them connects.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::copy::share;
use crate::postgres::{Patience, configure, notes};
use crate::seat::Connect;
use crate::sqlite::{Sqlite, Use};
use crate::{OpenError, StoreError, Tuning};

/// How many threads there are, and how each connects.
pub(crate) struct Plan {
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    pub(crate) batch: usize,
    /// The most jobs of a batch with savepoints.
    pub(crate) guarded_batch: usize,
    /// How often an answer has been waited for, on an engine with round trips.
    pub(crate) round_trips: Arc<AtomicU64>,
    pub(crate) connect_writer: Box<dyn Fn() -> Connect>,
    pub(crate) connect_reader: Box<dyn Fn() -> Connect>,
}

impl Plan {
    /// One writer, which reads too.
    pub(crate) fn memory() -> Self {
        let connect = || -> Connect {
            // A second connection would be another, empty database.
            let mut first = true;
            Box::new(move || {
                if !std::mem::take(&mut first) {
                    return Err(StoreError::Closed);
                }
                Ok(Box::new(Sqlite::in_memory()?))
            })
        };
        Self {
            writers: 1,
            readers: 0,
            batch: usize::MAX,
            guarded_batch: usize::MAX,
            round_trips: Arc::default(),
            connect_writer: Box::new(connect),
            connect_reader: Box::new(connect),
        }
    }

    /// One writer, several readers.
    pub(crate) fn file(path: PathBuf, tuning: &Tuning) -> Self {
        let connect = |path: PathBuf, how: Use| {
            move || -> Connect {
                let path = path.clone();
                Box::new(move || Ok(Box::new(Sqlite::open(&path, how)?)))
            }
        };
        let write = Use::Write {
            max_pages: tuning.max_pages,
        };
        Self {
            writers: 1,
            readers: tuning.readers.max(1),
            batch: usize::MAX,
            guarded_batch: usize::MAX,
            round_trips: Arc::default(),
            connect_writer: Box::new(connect(path.clone(), write)),
            connect_reader: Box::new(connect(path, Use::Read)),
        }
    }

    /// Several of each.
    pub(crate) fn postgres(url: &str, tuning: &Tuning) -> Result<Self, OpenError> {
        let address = configure(url)?;
        for warning in notes(&address).warnings {
            tracing::warn!("{warning}");
        }
        let round_trips = address.round_trips();
        let connect = move || -> Connect {
            let mut patience = Patience::new(address.clone());
            Box::new(move || Ok(Box::new(patience.connect()?)))
        };
        Ok(Self {
            writers: tuning.writers.max(1),
            readers: tuning.readers.max(1),
            batch: 256,
            // PostgreSQL keeps 64 savepoints of a transaction at hand; past that, everybody
            // who looks at its rows has to look them up.
            guarded_batch: 64,
            round_trips,
            connect_writer: Box::new(sharing(connect.clone())),
            connect_reader: Box::new(connect),
        })
    }
}

/// Whoever writes keeps away those who copy the whole database, as long as the connection lasts.
fn sharing(connect: impl Fn() -> Connect) -> impl Fn() -> Connect {
    move || -> Connect {
        let mut connect = connect();
        Box::new(move || {
            let mut engine = connect()?;
            share(&mut *engine)?;
            Ok(engine)
        })
    }
}
