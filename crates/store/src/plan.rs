//! How a store is staffed: its threads, and how each of them connects.

use std::path::PathBuf;

use crate::postgres::{Postgres, configure};
use crate::sqlite::{Sqlite, Use};
use crate::writer::Connect;
use crate::{OpenError, StoreError, Tuning};

/// How many threads there are, and how each connects.
pub(crate) struct Plan {
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    pub(crate) batch: usize,
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
            connect_writer: Box::new(connect(path.clone(), write)),
            connect_reader: Box::new(connect(path, Use::Read)),
        }
    }

    /// Several of each.
    pub(crate) fn postgres(url: &str, tuning: &Tuning) -> Result<Self, OpenError> {
        let config = configure(url)?;
        let connect = move || -> Connect {
            let config = config.clone();
            Box::new(move || Ok(Box::new(Postgres::connect(&config)?)))
        };
        Ok(Self {
            writers: tuning.writers.max(1),
            readers: tuning.readers.max(1),
            // PostgreSQL keeps 64 savepoints of a transaction at hand; past that, everybody
            // who looks at its rows has to look them up.
            batch: 64,
            connect_writer: Box::new(connect.clone()),
            connect_reader: Box::new(connect),
        })
    }
}
