//! What a backup that died has left beside its place.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use crate::failure::refused;
use crate::say::say;

/// Marks a draft as that of a run that is at work, for as long as what it returns lives: the lock is gone with
/// the process, however that ends. Nothing where the file system knows no locks.
pub fn hold(draft: &Path) -> anyhow::Result<Option<File>> {
    let Ok(file) = File::open(draft) else {
        return Err(in_between());
    };
    match file.try_lock() {
        // It may have been taken for a leftover a moment before, by one who has it no more.
        Ok(()) if !draft.exists() => Err(in_between()),
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(in_between()),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn in_between() -> anyhow::Error {
    refused(
        "interrupted",
        "another backup to the same file was begun at the same moment: try again",
    )
}

/// Deletes the drafts of runs that have died which were to stand in the same place as this one.
pub fn clear(draft: &Path) {
    let (Some(directory), Some((own, place))) = (draft.parent(), name_of(draft)) else {
        return;
    };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some((name, other)) = name_of(&path) else {
            continue;
        };
        let is_file = entry.file_type().is_ok_and(|found| found.is_file());
        if name == own || other != place || !is_file {
            continue;
        }
        // Whoever is at work on it has it locked.
        let Ok(left) = File::open(&path) else {
            continue;
        };
        if left.try_lock().is_ok() && fs::remove_file(&path).is_ok() {
            say!(
                "Deleted `{}`, which a backup that was broken off had left.",
                path.display()
            );
        }
    }
}

/// The name of a draft, and what of it is the place's: `.NAME.0123456789abcdef.tmp`.
fn name_of(draft: &Path) -> Option<(&str, &str)> {
    let name = draft.file_name()?.to_str()?;
    let (place, random) = name.strip_suffix(".tmp")?.rsplit_once('.')?;
    let is_random = random.len() == 16 && random.bytes().all(|it| it.is_ascii_hexdigit());
    (is_random && place.starts_with('.') && place.len() > 1).then_some((name, place))
}
