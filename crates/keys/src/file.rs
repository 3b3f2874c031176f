//! Writing secrets to disk, durably, and destroying them.

mod erase;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub use erase::erase;

/// Writes `bytes` to `path`, readable by the owner alone (mode 0600), in place of what
/// may be there. After a crash or a power cut the file holds the old content or the new,
/// whole; once this returns, the new.
///
/// # Errors
/// The file system's; the old content is still there then.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, bytes)?;
    fs::rename(&temporary, path).inspect_err(|_| discard(&temporary))?;
    sync_directory(path)
}

/// The same for a file that must not be there yet.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where it is, and the file system's.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, bytes)?;
    // A link, unlike a renaming, never takes the place of another file.
    match fs::hard_link(&temporary, path) {
        Ok(()) => discard(&temporary),
        // Some file systems (FAT, shares of other machines) have no links.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => {
            fs::rename(&temporary, path).inspect_err(|_| discard(&temporary))?;
        }
        Err(error) => {
            discard(&temporary);
            return Err(error);
        }
    }
    sync_directory(path)
}

/// Whether others than the owner may read or change the file (never on Windows).
///
/// # Errors
/// The file system's.
pub fn is_exposed(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        file.metadata().map(|_| false)
    }
}

/// The files that a write to `path` was cut off from removing. They may hold what it held.
///
/// # Errors
/// The file system's; a directory that is not there holds none.
pub fn leftovers(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(start) = beginning(path) else {
        return Ok(Vec::new());
    };
    let entries = match fs::read_dir(directory(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let name_bytes = name.as_encoded_bytes();
        if name_bytes.starts_with(start.as_encoded_bytes()) && name_bytes.ends_with(END.as_bytes())
        {
            found.push(directory(path).join(name));
        }
    }
    Ok(found)
}

/// Makes a change of names in the directory of `path` durable.
///
/// # Errors
/// The file system's.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    // Windows has no such thing; its renames are journalled.
    if cfg!(unix) {
        File::open(directory(path))?.sync_all()?;
    }
    Ok(())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes `bytes` to a new file in the same directory and syncs it.
fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let temporary = temporary_name(path)?;
    let mut file = match create(&temporary) {
        // Our own names don't repeat: this one was left by a process that died.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(&temporary)?;
            create(&temporary)?
        }
        other => other?,
    };
    match file.write_all(bytes).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(temporary),
        Err(error) => {
            discard(&temporary);
            Err(error)
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut temporary = beginning(path)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!("{}-{count}{END}", std::process::id()));
    Ok(directory(path).join(temporary))
}

/// How the names of temporary files beside `path` begin.
fn beginning(path: &Path) -> Option<OsString> {
    let mut beginning = OsString::from(".");
    beginning.push(path.file_name()?);
    beginning.push(".");
    Some(beginning)
}

/// How they end.
const END: &str = ".tmp";

/// The error that led here says more than one from tidying up would.
fn discard(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_written_file_is_whole_private_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        write_private(&path, b"old").unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!is_exposed(&File::open(&path).unwrap()).unwrap());
        assert_eq!(names(directory.path()), ["key.pem"]);
    }

    #[test]
    fn what_is_there_is_not_written_over_as_new() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wrapping.key");
        write_new_private(&path, b"first").unwrap();
        let refusal = write_new_private(&path, b"second").unwrap_err();
        assert_eq!(refusal.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(directory.path()), ["wrapping.key"]);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(write_private(&directory.path().join("no/such"), b"").is_err());
        assert!(write_private(Path::new("/"), b"").is_err());
    }
}
