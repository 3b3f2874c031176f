//! The data directory: made if missing, and locked against a second server.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// A data directory, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    // Dropping it gives the lock back, as does the end of the process, however it ends.
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is missing, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(|source| refused(path, source))?;
        let lock_path = path.join("lock");
        let lock = private_file(&lock_path).map_err(|source| refused(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: lock_path }),
            Err(TryLockError::Error(source)) => Err(refused(&lock_path, source)),
        }
    }

    /// Where the database file is.
    pub(crate) fn database_path(&self) -> PathBuf {
        self.path.join("enlist.db")
    }

    /// The database file, there and readable for its owner alone. What SQLite puts beside it
    /// gets the same mode.
    pub(crate) fn database(&self) -> Result<PathBuf, OpenError> {
        let path = self.database_path();
        private_file(&path)
            .and_then(|_| sync(&self.path))
            .map_err(|source| refused(&path, source))?;
        Ok(path)
    }
}

fn refused(path: &Path, source: std::io::Error) -> OpenError {
    OpenError::Directory {
        path: path.to_owned(),
        source,
    }
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes new names in the directory durable. Elsewhere a directory can't be opened for this.
#[cfg(unix)]
fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> std::io::Result<()> {
    Ok(())
}
