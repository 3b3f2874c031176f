//! Out of a backup, into an empty place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use enlist_core::{Digest, Rng};

use super::backup::{BackupDescription, verify_backup};
use super::marker::{Kind, Marker};
use super::migrate::{begin, copy};
use super::place::Place;
use super::{Copied, CopyError, Hears};
use crate::ahead::Ahead;
use crate::engine::Step;
use crate::event_ids::EventIds;
use crate::migrate::{KNOWN, migrate};
use crate::sqlite::{Sqlite, Use};
use crate::tx::Tx;
use crate::{Location, OpenError, StoreError};

/// Copies the backup `file` to `to`, which is empty, and shows that both are the same. `finish` is run in
/// the transaction that completes it, with what the backup says about itself. What was broken off goes on
/// where it stopped; `anew` discards an unfinished restore first. A backup of an older schema is brought up
/// to date in a copy of it in the directory `scratch`, which is made for its owner alone.
///
/// # Errors
/// When the file is no backup or is damaged, servers are at work on the target, or it is not empty.
pub fn restore(
    file: &Path,
    to: &Location,
    scratch: &Path,
    anew: bool,
    rng: &Arc<dyn Rng>,
    finish: &mut dyn FnMut(&mut Tx<'_>, &BackupDescription) -> Result<(), StoreError>,
    hears: Hears<'_>,
) -> Result<Copied, CopyError> {
    let description = verify_backup(file, hears)?;
    let to = Place::of(to).ok_or_else(|| StoreError::Corrupt {
        what: "a record in memory".to_owned(),
    })?;
    let of = Digest::of(description.digest().to_hex().as_bytes());
    // The lock of the target is taken before anything is put into its directory.
    let mut target = to.target()?;
    let (from, newer) = up_to_date(file, &description, scratch)?;
    let mut source = from.source(true)?;
    let name = format!("`{}`", file.display());
    let marker = begin(&mut target, Marker::new(Kind::Restore, name, of), anew)?;
    let copied = copy(&from, &mut source, &mut target, marker, hears)?;
    drop(newer);

    let engine = &mut *target.engine;
    engine.step(Step::Begin)?;
    Marker::remove(engine)?;
    let (ids, mut alone) = (EventIds::new(rng.clone()), Ahead::alone());
    let mut tx = Tx::new(engine, &ids, &mut alone, false);
    let finished = finish(&mut tx, &description);
    if let Some(error) = tx.left().failure {
        return Err(error.into());
    }
    finished?;
    target.engine.step(Step::Commit)?;
    Ok(copied)
}

/// A copy of a backup that is deleted when it is not needed any more.
struct Newer(PathBuf);

impl Drop for Newer {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
    }
}

fn up_to_date(
    file: &Path,
    description: &BackupDescription,
    scratch: &Path,
) -> Result<(Place, Option<Newer>), CopyError> {
    if description.schema_version == KNOWN {
        return Ok((Place::File(file.to_owned()), None));
    }
    let path = scratch.join("restoring.db");
    let failed = |source| CopyError::File {
        path: path.clone(),
        source,
    };
    // What a run that was broken off has left.
    drop(Newer(path.clone()));
    let newer = Newer(path.clone());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut copy = options.open(&path).map_err(failed)?;
    let mut original = std::fs::File::open(file).map_err(failed)?;
    std::io::copy(&mut original, &mut copy).map_err(failed)?;
    let place = Place::File(path.clone());
    let opened = Sqlite::open(&path, Use::Make)
        .map_err(OpenError::from)
        .and_then(|mut engine| migrate(&mut engine));
    match opened {
        Ok(()) => Ok((place, Some(newer))),
        Err(source) => Err(CopyError::Open {
            side: place.side("source"),
            source,
        }),
    }
}
