//! Files that are whole or not there: written beside their place, made durable, then moved in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use enlist_core::{Rng, SystemRng};
use enlist_keys::file::sync_directory;

use crate::failure::refused;

/// The most bytes that are read of any file that is read whole.
pub const MAX_READ: u64 = 1024 * 1024;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The owner alone (0600).
    Private,
    /// Everybody (0644, less what the umask takes).
    Public,
}

/// A file in the making. Unless it is put in place, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    file: File,
    draft: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// Begins a file that is to stand at `target`. A link there is followed; what is no plain file
    /// is not replaced.
    pub fn new(target: &Path, access: Access) -> anyhow::Result<Self> {
        let target = plain(target)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let mut random = [0; 8];
        SystemRng.fill(&mut random);
        let random = u64::from_ne_bytes(random);
        let draft = directory(&target).join(format!(".{name}.{random:016x}.tmp"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(match access {
                Access::Private => 0o600,
                Access::Public => 0o644,
            });
        }
        #[cfg(not(unix))]
        let _ = access;
        let file = options
            .open(&draft)
            .with_context(|| format!("`{}` can't be written", target.display()))?;
        Ok(Self {
            file,
            draft,
            target,
        })
    }

    /// Where it is in the making, for whoever writes it by its path.
    pub fn path(&self) -> &Path {
        &self.draft
    }

    /// Puts the file in place, over whatever stood there.
    pub fn replace(self) -> anyhow::Result<()> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.draft, &self.target))
            .and_then(|()| sync_directory(&self.target))
            .with_context(|| format!("`{}` can't be written", self.target.display()))
    }

    /// Puts the file in place if nothing stands there, and says whether it did.
    pub fn place(self) -> anyhow::Result<bool> {
        let placed = self.file.sync_all().and_then(|()| {
            // Unlike a rename, a new link never takes the place of a file that came in between.
            match fs::hard_link(&self.draft, &self.target) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                // Some file systems of memory cards have no links.
                Err(_) if !self.target.exists() => {
                    fs::rename(&self.draft, &self.target).map(|()| true)
                }
                Err(error) => Err(error),
            }
        });
        placed
            .and_then(|placed| sync_directory(&self.target).map(|()| placed))
            .with_context(|| format!("`{}` can't be written", self.target.display()))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already where it was moved into place.
        let _ = fs::remove_file(&self.draft);
    }
}

/// Writes a file, over whatever stood there.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> anyhow::Result<()> {
    filled(path, bytes, access)?.replace()
}

/// Writes a file if nothing stands there, and says whether it did.
pub fn place(path: &Path, bytes: &[u8], access: Access) -> anyhow::Result<bool> {
    filled(path, bytes, access)?.place()
}

/// Writes a file where nothing may stand yet.
pub fn place_new(path: &Path, bytes: &[u8], access: Access) -> anyhow::Result<()> {
    if place(path, bytes, access)? {
        return Ok(());
    }
    Err(exists(path))
}

/// The refusal to write over what stands there, where only `--force` may.
pub fn exists_unforced(path: &Path) -> anyhow::Error {
    refused(
        "file-exists",
        format!(
            "`{}` is there already; name another, or replace it with --force",
            path.display()
        ),
    )
}

/// The refusal to write over what stands there.
pub fn exists(path: &Path) -> anyhow::Error {
    refused(
        "file-exists",
        format!("`{}` is there already; name another", path.display()),
    )
}

/// Has a file that is there survive a loss of power from now on, whoever wrote it.
pub fn make_durable(path: &Path) -> anyhow::Result<()> {
    let real = fs::canonicalize(path);
    real.and_then(|real| {
        File::open(&real)?.sync_all()?;
        sync_directory(&real)?;
        sync_directory(path)
    })
    .with_context(|| format!("`{}` can't be made durable", path.display()))
}

/// Reads a text file whole; `None` where there is none.
pub fn read(path: &Path) -> anyhow::Result<Option<String>> {
    open(path)?.map(|file| text_of(file, path)).transpose()
}

/// Opens a file for reading; `None` where there is none.
pub fn open(path: &Path) -> anyhow::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("`{}` can't be read", path.display())),
    }
}

/// The text of a file that was opened, whole.
pub fn text_of(file: File, path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    file.take(MAX_READ + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("`{}` can't be read", path.display()))?;
    if text.len() as u64 > MAX_READ {
        return Err(too_large(path));
    }
    Ok(text)
}

fn too_large(path: &Path) -> anyhow::Error {
    refused(
        "file-too-large",
        format!(
            "`{}` is over 1 MiB, which is more than such a file can be; name another",
            path.display()
        ),
    )
}

/// Reads a file of any kind that has to be there.
pub fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("`{}` can't be read", path.display());
    let file = File::open(path).with_context(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_READ + 1)
        .read_to_end(&mut bytes)
        .with_context(failed)?;
    if bytes.len() as u64 > MAX_READ {
        return Err(too_large(path));
    }
    Ok(bytes)
}

/// Reads a text file that has to be there.
pub fn read_needed(path: &Path) -> anyhow::Result<String> {
    read(path)?.ok_or_else(|| missing(path))
}

/// The refusal of what has to be there and is not.
pub fn missing(path: &Path) -> anyhow::Error {
    refused(
        "file-missing",
        format!("`{}` does not exist; check the path", path.display()),
    )
}

/// Makes a directory and those above it, for their owner alone where they are new.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

fn filled(path: &Path, bytes: &[u8], access: Access) -> anyhow::Result<Draft> {
    let mut draft = Draft::new(path, access)?;
    draft
        .write_all(bytes)
        .with_context(|| format!("`{}` can't be written", path.display()))?;
    Ok(draft)
}

/// Where a file that is to be replaced really stands.
fn plain(target: &Path) -> anyhow::Result<PathBuf> {
    let found = match fs::symlink_metadata(target) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target.to_owned()),
        Err(error) => {
            return Err(error).with_context(|| format!("`{}` can't be read", target.display()));
        }
    };
    if found.is_file() {
        return Ok(target.to_owned());
    }
    match fs::canonicalize(target) {
        Ok(real) if real.is_file() => Ok(real),
        _ => Err(refused(
            "not-a-file",
            format!(
                "`{}` is there and is no plain file; name another path",
                target.display()
            ),
        )),
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_stands_there_is_never_overwritten_by_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        assert!(place(&path, b"first", Access::Private).unwrap());
        assert!(!place(&path, b"second", Access::Private).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(dir.path()), ["key.pem"]);
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_their_owners() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "open to all").unwrap();
        replace(&path, b"edt_", Access::Private).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut draft = Draft::new(&dir.path().join("names.txt"), Access::Public).unwrap();
        draft.write_all(b"half").unwrap();
        drop(draft);
        assert!(names(dir.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_node_is_not_replaced_and_a_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Draft::new(Path::new("/dev/null"), Access::Public).is_err());
        assert!(Draft::new(dir.path(), Access::Public).is_err());
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"new", Access::Public).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
