//! Opening what is copied from and to.

use std::fmt;
use std::path::{Path, PathBuf};

use super::access::{is_there, not_denied};
use super::marker::{Kind, Marker};
use super::{CopyError, hold};
use crate::directory::Directory;
use crate::engine::{Engine, Step};
use crate::migrate::{KNOWN, migrate, version};
use crate::postgres::{Postgres, configure};
use crate::sqlite::{Sqlite, Use};
use crate::value::Value;
use crate::{Location, OpenError, StoreError};

/// Which of the two a sentence is about, and which engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    role: &'static str,
    what: String,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} ({})", self.role, self.what)
    }
}

/// Where rows come from or go to.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A data directory.
    Directory(PathBuf),
    /// A PostgreSQL, by its URL.
    Postgres(String),
    /// A single file that is nobody's data directory: a backup.
    File(PathBuf),
}

/// A record, opened.
pub(super) struct Opened {
    pub(super) engine: Box<dyn Engine>,
    pub(super) postgres: bool,
    pub(super) side: Side,
    /// The directory that it lies in, where that is on a disk of this machine.
    directory: Option<PathBuf>,
    /// Kept so that nobody else works on it meanwhile.
    _hold: Option<Hold>,
}

enum Hold {
    Directory(#[allow(dead_code, reason = "held, never read")] Directory),
    Connection(#[allow(dead_code, reason = "held, never read")] Box<dyn Engine>),
}

impl Place {
    /// A place of the kind that servers have.
    pub(super) fn of(location: &Location) -> Option<Self> {
        match location {
            Location::Memory => None,
            Location::File(path) => Some(Self::Directory(path.clone())),
            Location::Postgres(url) => Some(Self::Postgres(url.clone())),
        }
    }

    /// How it is called in words.
    pub(super) fn side(&self, role: &'static str) -> Side {
        let what = self.what();
        Side { role, what }
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Directory(path) => format!("SQLite in `{}`", path.display()),
            // Nothing of the URL: a password may stand anywhere in it.
            Self::Postgres(_) => "PostgreSQL".to_owned(),
            Self::File(path) => format!("`{}`", path.display()),
        }
    }

    /// Whether the other one is the same, as far as can be seen from here.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Directory(one), Self::Directory(other)) => {
                let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
                real(one) == real(other)
            }
            (Self::Postgres(one), Self::Postgres(other)) => one == other,
            _ => false,
        }
    }

    pub(super) fn engine_name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgresql",
            _ => "sqlite",
        }
    }

    /// Opens it for reading. `alone` refuses where others are at work on it.
    pub(super) fn source(&self, alone: bool) -> Result<Opened, CopyError> {
        let side = self.side("source");
        let hold = match self {
            Self::Directory(path) if !is_there(path)? => {
                return Err(CopyError::NoRecord { side });
            }
            _ if !alone => None,
            _ => self.take(&side)?,
        };
        let mut opened = match self {
            Self::Directory(path) => self.sqlite(&path.join("enlist.db"), Use::Read, side)?,
            Self::File(path) => self.sqlite(path, Use::Read, side)?,
            Self::Postgres(url) => postgres(url, side)?,
        };
        opened._hold = hold;
        opened.check_schema(matches!(self, Self::File(_)))?;
        Ok(opened)
    }

    /// Opens a file for reading, whatever its schema.
    pub(super) fn bare_source(&self) -> Result<Opened, CopyError> {
        let side = self.side("source");
        match self {
            Self::File(path) => self.sqlite(path, Use::Read, side),
            _ => Err(CopyError::NoRecord { side }),
        }
    }

    /// Opens it for writing, alone, with the tables made.
    pub(super) fn target(&self) -> Result<Opened, CopyError> {
        let side = self.side("target");
        let hold = self.take(&side)?;
        let mut opened = match self {
            Self::Postgres(url) => postgres(url, side)?,
            Self::File(path) => self.sqlite(path, Use::Make, side)?,
            Self::Directory(path) => {
                let write = Use::Write { max_pages: None };
                self.sqlite(&path.join("enlist.db"), write, side)?
            }
        };
        opened._hold = hold;
        migrate(&mut *opened.engine).map_err(|source| opened.failed(source))?;
        Ok(opened)
    }

    /// Makes sure that no server is at work on it, nor begins to be.
    fn take(&self, side: &Side) -> Result<Option<Hold>, CopyError> {
        let failed = |source| CopyError::Open {
            side: side.clone(),
            source,
        };
        Ok(match self {
            Self::Directory(path) => {
                let directory = Directory::open(path).map_err(|error| match error {
                    OpenError::InUse { .. } => CopyError::InUse { side: side.clone() },
                    error => failed(error),
                })?;
                directory.database().map_err(failed)?;
                Some(Hold::Directory(directory))
            }
            Self::Postgres(url) => {
                let mut engine = postgres(url, side.clone())?.engine;
                if !hold::take(&mut *engine)? {
                    return Err(CopyError::InUse { side: side.clone() });
                }
                Some(Hold::Connection(engine))
            }
            Self::File(_) => None,
        })
    }

    fn sqlite(&self, path: &Path, how: Use, side: Side) -> Result<Opened, CopyError> {
        match Sqlite::open(path, how) {
            Ok(engine) => Ok(Opened {
                engine: Box::new(engine),
                postgres: false,
                side,
                directory: path
                    .parent()
                    .and_then(|parent| std::path::absolute(parent).ok()),
                _hold: None,
            }),
            // It holds no database: what a file says that is none.
            Err(StoreError::Corrupt { .. }) if matches!(self, Self::File(_)) => {
                Err(CopyError::NoBackup {
                    path: path.to_owned(),
                })
            }
            Err(error) => {
                not_denied(path)?;
                Err(CopyError::Open {
                    side,
                    source: error.into(),
                })
            }
        }
    }
}

fn postgres(url: &str, side: Side) -> Result<Opened, CopyError> {
    let connect = || -> Result<Postgres, OpenError> {
        Ok(Postgres::connect(&configure(url)?)?.without_limit())
    };
    let mut engine: Box<dyn Engine> = match connect() {
        Ok(engine) => Box::new(engine),
        Err(source) => return Err(CopyError::Open { side, source }),
    };
    // A table takes as long as it takes, and the snapshot waits for the other side.
    for wish in [
        "SET statement_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
        "SET lock_timeout = 0",
        "SET enable_seqscan = on",
    ] {
        if let Err(error) = engine.execute(wish, &[]) {
            tracing::debug!(wish, %error, "the database does not take a setting");
        }
    }
    Ok(Opened {
        engine,
        postgres: true,
        side,
        directory: None,
        _hold: None,
    })
}

impl Opened {
    /// From here on, all that is read is of this moment.
    pub(super) fn freeze(&mut self) -> Result<(), StoreError> {
        self.engine.step(Step::BeginRead)
    }

    /// Lets the moment go.
    pub(super) fn thaw(&mut self) -> Result<(), StoreError> {
        self.engine.step(Step::Rollback)
    }

    fn failed(&self, source: OpenError) -> CopyError {
        match source {
            OpenError::Database(error @ StoreError::Full(_)) => self.not_written(error),
            source => CopyError::Open {
                side: self.side.clone(),
                source,
            },
        }
    }

    /// What became of writing to it: a full disk is named.
    pub(super) fn not_written(&self, error: StoreError) -> CopyError {
        match (error, &self.directory) {
            (StoreError::Full(source), Some(directory)) => CopyError::DiskFull {
                path: directory.clone(),
                source,
            },
            (error, _) => error.into(),
        }
    }

    /// Refuses a source that is not of the schema that this program writes, and one that is itself a copy that
    /// did not get complete. A `backup` is marked, and complete.
    fn check_schema(&mut self, backup: bool) -> Result<(), CopyError> {
        let side = self.side.clone();
        let sql = match self.postgres {
            true => {
                "SELECT count(*) FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = 'schema_version'"
            }
            false => "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'",
        };
        if self.count(sql)? == 0 {
            return Err(CopyError::NoRecord { side });
        }
        let found = version(&mut *self.engine)?;
        if found > KNOWN {
            return Err(self.failed(OpenError::NewerSchema {
                found,
                known: KNOWN,
            }));
        }
        // Before anything is said of what it lacks: that is not in it because it is unfinished.
        if found > 0 && !backup {
            self.check_whole()?;
        }
        match found {
            found if found < KNOWN => Err(CopyError::OlderSchema {
                side,
                found,
                known: KNOWN,
            }),
            _ => Ok(()),
        }
    }

    /// Refuses what is marked as unfinished.
    fn check_whole(&mut self) -> Result<(), CopyError> {
        let side = self.side.clone();
        let Some(marker) = Marker::read(&mut *self.engine)? else {
            return Ok(());
        };
        let made_by = match marker.kind {
            Kind::Migration => "migrate",
            Kind::Restore => "restore",
            Kind::Backup => return Err(CopyError::BackupInPlace { side }),
        };
        Err(CopyError::Unfinished {
            side,
            made_by,
            from: marker.from,
        })
    }

    /// Asks for one number.
    pub(super) fn count(&mut self, sql: &str) -> Result<u64, StoreError> {
        let mut count = 0;
        // As a stream it may take its time.
        self.engine.stream(sql, &[], &mut |row| {
            if let Some(Value::Int(number)) = row.value(0) {
                count = u64::try_from(number).unwrap_or(0);
            }
            Ok(())
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::Digest;

    use super::*;

    #[test]
    fn a_full_disk_is_that_of_the_copy() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("b");
        std::fs::write(&path, "").unwrap();
        let mut target = Place::File(path).target().unwrap();
        let sql = "PRAGMA max_page_count = 1";
        target.engine.query(sql, &[], &mut |_| Ok(())).unwrap();
        let from = "x".repeat(100_000);
        let marker = Marker::new(Kind::Backup, from, Digest::of(b"of"));
        let mut filling = super::super::fill::Filling::new(&mut target, marker);
        let table = super::super::table::tables().swap_remove(0);
        let error = filling.end(&table).unwrap_err();
        assert!(
            matches!(&error, CopyError::DiskFull { path, .. } if path == dir.path()),
            "{error}"
        );
    }
}
