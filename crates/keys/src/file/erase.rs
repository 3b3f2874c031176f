//! Destroying secrets on disk.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use enlist_core::Rng;

use super::{leftovers, sync_directory};

/// How much is overwritten at once.
const PIECE: usize = 4096;

/// Overwrites a file where it lies, makes that durable, and removes it, with what a power cut
/// may have left of its making: a link to it under another name. Fine if it is gone already.
///
/// On flash, and on file systems that copy on write, the old blocks may live on.
///
/// # Errors
/// The file system's. Where it can't be overwritten, it is removed all the same.
pub fn erase(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    for leftover in leftovers(path)? {
        erase_one(&leftover, rng)?;
    }
    erase_one(path, rng)
}

fn erase_one(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    if let Err(error) = fs::symlink_metadata(path)
        && error.kind() == ErrorKind::NotFound
    {
        return Ok(());
    }
    let overwritten = overwrite(path, rng);
    // Gone is better than overwritten: where only one can be had, it is this one.
    fs::remove_file(path)?;
    sync_directory(path)?;
    overwritten
}

fn overwrite(path: &Path, rng: &dyn Rng) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let mut noise = [0; PIECE];
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        rng.fill(&mut noise[..length]);
        file.write_all(&noise[..length])?;
        left -= length as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use enlist_core::SystemRng;

    use super::*;

    #[test]
    fn an_erased_file_is_overwritten_to_its_end_and_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, vec![b'x'; 3 * PIECE + 5]).unwrap();
        let mut open = fs::File::open(&path).unwrap();
        erase(&path, &SystemRng).unwrap();
        assert!(!path.exists());
        let mut still = Vec::new();
        io::Read::read_to_end(&mut open, &mut still).unwrap();
        assert_eq!(still.len(), 3 * PIECE + 5);
        let same = still.iter().rev().take(PIECE).filter(|byte| **byte == b'x');
        assert!(same.count() < PIECE / 8);
        erase(&path, &SystemRng).unwrap();
    }

    #[test]
    fn a_directory_is_not_erased() {
        let directory = tempfile::tempdir().unwrap();
        assert!(erase(directory.path(), &SystemRng).is_err());
        assert!(directory.path().exists());
    }
}
