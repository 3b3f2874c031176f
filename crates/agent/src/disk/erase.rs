//! Erasing: overwriting as far as the medium allows, then removing.
//!
//! What is erased may be under somebody's hands who wants it to go wrong. So no symbolic link is ever
//! followed, names are looked up in directories that are held open, no mounted file system is entered
//! from above, and a file that has another name is not overwritten under that one.

#[cfg(target_os = "linux")]
mod medium;
#[cfg(not(target_os = "linux"))]
#[path = "erase/no_medium.rs"]
mod medium;

use std::collections::HashSet;
use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, SeekFrom, fchmod, openat, seek, statat, unlinkat,
};
use rustix::io::Errno;

use crate::systemd;

/// What could not be erased, or not be proven to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotErased {
    /// It is still there, or some of it is.
    #[error("{count} could not be removed: {first}")]
    Left {
        /// How many files and directories.
        count: u64,
        /// What the first of them met with.
        first: String,
    },
    /// It is gone, and some of it may still be read from the medium.
    #[error("{count} removed without being overwritten: {first}")]
    NotOverwritten {
        /// How many files.
        count: u64,
        /// What the first of them met with.
        first: String,
    },
}

/// Erases a file, or a directory with everything in it; `false` where there is none. Every part that can
/// be erased is, whatever the others meet with. Durable once it returns.
///
/// A mount point is emptied and stays. A symbolic link is removed, and what it points to stays.
pub(crate) fn erase(path: &Path) -> Result<bool, NotErased> {
    let mut sweep = Sweep::default();
    let there = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => sweep.start(parent, name.as_bytes()),
        _ => {
            sweep.left("it has no name");
            false
        }
    };
    sweep.end().map(|()| there)
}

/// Deeper than any honest tree, and within the open files that a process may have.
const DEEPEST: u32 = 256;

#[derive(Default)]
struct Sweep {
    left: Tally,
    not_overwritten: Tally,
    /// Files that were unlinked under one name and have others, by device and inode.
    other_names: HashSet<(u64, u64)>,
}

#[derive(Default)]
struct Tally {
    count: u64,
    first: Option<String>,
}

impl Sweep {
    fn start(&mut self, parent: &Path, name: &[u8]) -> bool {
        let Ok(name) = CString::new(name) else {
            self.left("its name holds a zero byte");
            return false;
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = match openat(CWD, parent, flags, Mode::empty()) {
            Ok(parent) => parent,
            Err(Errno::NOENT) => return false,
            Err(why) => {
                self.left(why);
                return false;
            }
        };
        let there = self.entry(parent.as_fd(), &name, 0);
        if there && let Err(why) = rustix::fs::fsync(&parent) {
            self.left(why);
        }
        there
    }

    fn end(self) -> Result<(), NotErased> {
        if let Some(first) = self.left.first {
            let count = self.left.count;
            return Err(NotErased::Left { count, first });
        }
        let linked = self.other_names.len() as u64;
        let another_name = (linked > 0).then(|| "it has another name elsewhere".to_owned());
        match self.not_overwritten.first.or(another_name) {
            Some(first) => Err(NotErased::NotOverwritten {
                count: self.not_overwritten.count + linked,
                first,
            }),
            None => Ok(()),
        }
    }

    fn left(&mut self, why: impl Display) {
        self.left.add(&why);
    }

    /// Erases one entry of a directory; `false` where there is none.
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &CStr, depth: u32) -> bool {
        systemd::alive();
        let kind = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return false,
            Err(why) => {
                self.left(why);
                return true;
            }
        };
        match kind {
            FileType::Directory => self.directory(parent, name, depth),
            FileType::RegularFile => {
                if let Err(why) = self.overwrite(parent, name) {
                    self.not_overwritten.add(&why);
                }
                self.unlink(parent, name, AtFlags::empty());
            }
            _ => self.unlink(parent, name, AtFlags::empty()),
        }
        true
    }

    fn directory(&mut self, parent: BorrowedFd<'_>, name: &CStr, depth: u32) {
        if depth > DEEPEST {
            self.left("directories nested too deep");
            return;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = match openat(parent, name, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(why) => return self.left(why),
        };
        let mounted = match is_mounted(parent, &directory) {
            Ok(mounted) => mounted,
            Err(why) => return self.left(why),
        };
        if mounted && depth > 0 {
            return self.left("another file system is mounted in it; list that by itself");
        }
        make_writable(&directory);
        match names(&directory) {
            Ok(names) => {
                for name in names {
                    self.entry(directory.as_fd(), &name, depth + 1);
                }
            }
            Err(why) => self.left(why),
        }
        if let Err(why) = rustix::fs::fsync(&directory) {
            self.left(why);
        }
        if !mounted {
            self.unlink(parent, name, AtFlags::REMOVEDIR);
        }
    }

    fn overwrite(&mut self, parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        let open = |access: OFlags| {
            let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            openat(parent, name, flags, Mode::empty())
        };
        let file = match open(OFlags::WRONLY) {
            // It may be marked as never to be changed; by whom, does not matter any more.
            Err(Errno::PERM) => {
                medium::make_changeable(open(OFlags::RDONLY)?.as_fd());
                open(OFlags::WRONLY)?
            }
            other => other?,
        };
        let file = File::from(file);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it was exchanged for something else"));
        }
        let identity = (metadata.dev(), metadata.ino());
        if metadata.nlink() > 1 {
            self.other_names.insert(identity);
            return Ok(());
        }
        self.other_names.remove(&identity);
        fill_with_zeros(&file, metadata.len())?;
        file.sync_all()?;
        medium::forget(&file, metadata.len());
        Ok(())
    }

    fn unlink(&mut self, parent: BorrowedFd<'_>, name: &CStr, flags: AtFlags) {
        match unlinkat(parent, name, flags) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(why) => self.left(why),
        }
    }
}

impl Tally {
    fn add(&mut self, why: &dyn Display) {
        self.count += 1;
        self.first.get_or_insert_with(|| why.to_string());
    }
}

fn is_mounted(parent: BorrowedFd<'_>, directory: &OwnedFd) -> io::Result<bool> {
    let device = |fd: BorrowedFd<'_>| {
        Ok::<_, io::Error>(File::from(fd.try_clone_to_owned()?).metadata()?.dev())
    };
    Ok(device(parent)? != device(directory.as_fd())?)
}

/// As far as that is possible; what it was for fails otherwise, and says so.
fn make_writable(directory: &OwnedFd) {
    let _ = fchmod(directory, Mode::RWXU);
    medium::make_changeable(directory.as_fd());
}

fn names(directory: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// The most bytes that are overwritten in one go.
const AT_ONCE: usize = 64 * 1024;

/// Overwrites what is there. Holes stay holes: filling them would fill the disk.
fn fill_with_zeros(file: &File, len: u64) -> io::Result<()> {
    let most = usize::try_from(len).map_or(AT_ONCE, |len| len.min(AT_ONCE));
    let zeros = vec![0; most];
    let mut at = 0;
    while at < len {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            // A file system that knows nothing of holes.
            Err(_) => at,
        };
        let end = match seek(file, SeekFrom::Hole(start)) {
            Ok(end) if end > start => end.min(len),
            _ => len,
        };
        at = start;
        while at < end {
            let part = usize::try_from(end - at).map_or(most, |left| left.min(most));
            file.write_all_at(&zeros[..part], at)?;
            at += part as u64;
            systemd::alive();
        }
    }
    Ok(())
}

/// The path with every symbolic link on the way to its last part resolved, and that part as it stands;
/// `None` where the way is not there.
pub(crate) fn whereabouts(path: &Path) -> io::Result<Option<std::path::PathBuf>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::from(ErrorKind::InvalidInput));
    };
    match fs::canonicalize(parent) {
        Ok(parent) => Ok(Some(parent.join(name))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
