//! What can go wrong with the store.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use crate::postgres::{headline, url_headline};

/// What the engine said.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Why a job was not done. Nothing of it was recorded, except where [`StoreError::Unavailable`]
/// came from the commit itself: then it is not known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// More jobs wait than the store takes in: try again in a moment.
    #[error("the store has more work waiting than it takes in")]
    Busy,
    /// Others changed the same rows, again and again: try again in a moment.
    #[error("others keep changing the same records")]
    Contended(#[source] Cause),
    /// The disk is full.
    #[error("the disk that holds the database is full: make room on it")]
    Full(#[source] Cause),
    /// The database can't be reached or does not let this server in, or its files can't be read or written.
    #[error("{}", headline(.0).unwrap_or("the database is out of reach"))]
    Unavailable(#[source] Cause),
    /// The database refused a statement for a reason that is none of the others.
    #[error("{}", headline(.0).unwrap_or("the database refused a statement"))]
    Refused(#[source] Cause),
    /// What was read makes no sense.
    #[error("the database holds {what} that can't be understood")]
    Corrupt {
        /// What it was.
        what: String,
    },
    /// A row with such a key exists, where the job did not expect one; or a row that it refers
    /// to is gone.
    #[error("another record stands in the way")]
    Conflict(#[source] Cause),
    /// A job that was to read only wanted to write.
    #[error("a reading job wanted to write")]
    ReadOnly,
    /// The job panicked; the log says where.
    #[error("the job `{job}` failed by a fault of this program")]
    Panicked {
        /// Its name.
        job: &'static str,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether running the same again, on the same connection, may well succeed.
    pub(crate) fn is_lost_race(&self) -> bool {
        matches!(self, Self::Contended(_))
    }
}

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory can't be made or used.
    #[error("can't use `{}` as data directory: check that it exists and belongs to this user", path.display())]
    Directory {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the data directory open.
    #[error(
        "another server is running on this data directory (it holds the lock `{}`): stop it, or choose another directory",
        path.display()
    )]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The database was written by a newer version of this program.
    #[error(
        "the database has schema version {found}, and this program knows up to {known}: use the newer version of the program that wrote it"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database is not a whole record.
    #[error("the database is {what}")]
    Unfinished {
        /// What it is, and what to do.
        what: &'static str,
    },
    /// The database URL can't be read, or asks for what is not supported.
    #[error("{}", url_headline(.0))]
    Url(#[source] Cause),
    /// The threads of the store can't be started.
    #[error("can't start a thread for the store")]
    Thread(#[source] std::io::Error),
    /// The database can't be opened or brought up to date.
    #[error("can't open the database")]
    Database(#[from] StoreError),
}
