use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use enlist_keys::file::{sync_directory, write_private};

use super::Disk;

/// A directory of the file system.
///
/// Opened for writing, it is locked until dropped, so that two agents never share one.
#[derive(Debug)]
pub struct FileDisk {
    root: PathBuf,
    _lock: Option<File>,
}

/// Why a directory can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum Locked {
    /// Another agent works in it.
    #[error("{}: another agent works in this directory", .path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
        /// Its process id, where it has left it.
        pid: Option<i32>,
    },
    /// It can't be made, or not be made private.
    #[error("{}: can't be used as the agent's directory", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

const LOCK: &str = "lock";

impl FileDisk {
    /// Opens the directory for the one agent that works in it, making it where it is not there, and
    /// making it private (0700).
    ///
    /// # Errors
    /// When another agent is at work in it, or the file system says no.
    pub fn open(root: &Path) -> Result<Self, Locked> {
        let unusable = |source| Locked::Unusable {
            path: root.to_owned(),
            source,
        };
        private_directory(root).map_err(unusable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(root.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Locked::Busy {
                    path: root.to_owned(),
                    pid: read_pid(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        lock.set_len(0).map_err(unusable)?;
        writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self {
            root: root.to_owned(),
            _lock: Some(lock),
        })
    }

    /// Opens the directory for looking only, beside an agent that may be at work in it.
    #[must_use]
    pub fn look(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            _lock: None,
        }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}

impl Disk for FileDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(self.path(path)))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        write_private(&path, bytes)
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        let link = self.path(link);
        let beside = link.with_extension("new");
        // Left by an agent that died between the two.
        absent_is_none(fs::remove_file(&beside))?;
        symlink(target, &beside)?;
        fs::rename(&beside, &link)?;
        sync_directory(&link)
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        let target = absent_is_none(fs::read_link(self.path(link)))?;
        Ok(target.map(|target| target.to_string_lossy().into_owned()))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let Some(entries) = absent_is_none(fs::read_dir(self.path(directory)))? else {
            return Ok(Vec::new());
        };
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        let path = self.path(directory);
        absent_is_none(fs::remove_dir_all(&path))?;
        sync_directory(&path)
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        super::erase(&self.path(path)).map_err(io::Error::other)
    }
}

impl FileDisk {
    /// Makes a directory below the root, durably.
    fn make(&self, path: &Path) -> io::Result<()> {
        if path == self.root || path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        DirBuilder::new().mode(0o700).create(path)?;
        sync_directory(path)
    }
}

fn private_directory(root: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    let mode = fs::metadata(root)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn read_pid(lock: &mut File) -> Option<i32> {
    let mut text = String::new();
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_private_and_reads_back() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("deep/agent");
        let mut disk = FileDisk::open(&root).unwrap();
        disk.write("slots/1/key.pem", b"secret").unwrap();
        disk.write("slots/1/key.pem", b"other").unwrap();
        assert_eq!(disk.read("slots/1/key.pem").unwrap().unwrap(), b"other");
        assert_eq!(disk.read("slots/2/key.pem").unwrap(), None);
        for (path, mode) in [("", 0o700), ("slots/1", 0o700), ("slots/1/key.pem", 0o600)] {
            let found = fs::metadata(root.join(path)).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{path}");
        }
        assert_eq!(disk.list("slots/1").unwrap(), ["key.pem"]);
        disk.remove("slots/1").unwrap();
        disk.remove("slots/1").unwrap();
        assert!(disk.list("slots").unwrap().is_empty());
    }

    #[test]
    fn a_directory_that_others_may_read_is_made_private() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        FileDisk::open(home.path()).unwrap();
        let mode = fs::metadata(home.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_link_is_swapped_even_over_what_a_crash_left() {
        let home = tempfile::tempdir().unwrap();
        let mut disk = FileDisk::open(home.path()).unwrap();
        assert_eq!(disk.target("current").unwrap(), None);
        disk.point("current", "slots/1").unwrap();
        symlink("slots/9", home.path().join("current.new")).unwrap();
        disk.point("current", "slots/2").unwrap();
        assert_eq!(disk.target("current").unwrap().unwrap(), "slots/2");
    }

    #[test]
    fn a_second_agent_is_told_about_the_first() {
        let home = tempfile::tempdir().unwrap();
        let first = FileDisk::open(home.path()).unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        match FileDisk::open(home.path()) {
            Err(Locked::Busy { pid: found, .. }) => assert_eq!(found, Some(pid)),
            other => panic!("{other:?}"),
        }
        drop(first);
        FileDisk::open(home.path()).unwrap();
    }
}
