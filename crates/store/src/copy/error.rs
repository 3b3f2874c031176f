//! Why a record could not be moved, backed up or restored.

use std::path::PathBuf;

use super::Side;
use crate::error::Cause;
use crate::{OpenError, StoreError};

/// Why a record could not be moved, backed up or restored. What it says never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing of Enlist's where it was said to be.
    #[error("{side} holds no record of Enlist: check the directory or the URL")]
    NoRecord {
        /// Where.
        side: Side,
    },
    /// There are empty tables, and no installation.
    #[error("{side} was never set up: there is nothing to copy")]
    NotSetUp {
        /// Where.
        side: Side,
    },
    /// The source is a copy that did not get complete, or whose comparison failed.
    #[error(
        "{side} is an unfinished copy, made by `enlist {made_by}` (from {from}), and nothing is copied from what is not whole: copy from there, or run the same `enlist {made_by}` again, which goes on where it stopped. If that says that both sides are not the same, run it with --anew"
    )]
    Unfinished {
        /// Where.
        side: Side,
        /// The command that began it.
        made_by: &'static str,
        /// Where it came from.
        from: String,
    },
    /// The source is a backup, put where a record is expected.
    #[error(
        "{side} is a backup that was put in place as it is: put it back with `enlist restore --from FILE`, which checks it"
    )]
    BackupInPlace {
        /// Where.
        side: Side,
    },
    /// Source and target are one.
    #[error("source and target are the same place ({what}): name another target")]
    SamePlace {
        /// The place.
        what: String,
    },
    /// This user may not read what is there.
    #[error(
        "`{}` may not be read by this user: run this as the user that the server runs as{}, or as root",
        path.display(),
        owner.map(|id| format!(" (the files belong to the user with the id {id})")).unwrap_or_default()
    )]
    NotAllowed {
        /// The file or directory.
        path: PathBuf,
        /// The id of the user it belongs to, where that is known.
        owner: Option<u32>,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no room for the copy.
    #[error("the disk that holds `{}` is full: make room on it, or name another place, and run the same again", path.display())]
    DiskFull {
        /// The directory that is written to.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: Cause,
    },
    /// The source was written by an older version.
    #[error(
        "{side} has schema version {found}, and this program writes {known}: start and stop `enlist serve` of this version on it once, which brings it up to date"
    )]
    OlderSchema {
        /// Where.
        side: Side,
        /// The version found.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// Servers are at work on it, or another copy is made.
    #[error("{side} is in use: stop all servers on it, and whatever else copies it, and try again")]
    InUse {
        /// Where.
        side: Side,
    },
    /// The target is not empty.
    #[error("{side} holds a record already: nothing is ever copied over one; name an empty target")]
    NotEmpty {
        /// Where.
        side: Side,
    },
    /// The target holds a copy of something else, which was not finished.
    #[error(
        "{side} holds the unfinished copy of another record (from {from}): name another target, or discard that copy with --anew"
    )]
    AnotherCopy {
        /// Where.
        side: Side,
        /// Where it came from.
        from: String,
    },
    /// Source and target are not the same in the end.
    #[error(
        "table {table} is not the same in source and target: the source was changed while it was copied. Stop whatever writes to it, and copy it --anew; the target is marked as unfinished, and no server starts on it"
    )]
    Differs {
        /// The first table that is not.
        table: String,
    },
    /// A text that the target can't hold.
    #[error(
        "a row of {table} has a zero character in column {column}, which PostgreSQL can't hold: change that text in the source and go on"
    )]
    ZeroCharacter {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A value that is neither number, text (UTF-8) nor bytes.
    #[error(
        "column {column} of table {table} holds what can't be understood: the database is damaged"
    )]
    Unreadable {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A file that is no backup.
    #[error("`{}` is no backup of Enlist's, or it was cut short", path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
    },
    /// A backup of a format or schema that this program does not know.
    #[error("`{}` was made by a newer version of Enlist ({program}): use that version", path.display())]
    NewerBackup {
        /// The file.
        path: PathBuf,
        /// What made it.
        program: String,
    },
    /// A backup that is not as it was made.
    #[error(
        "the backup `{}` is damaged: table {table} does not hold what it held when the backup was made. Use another backup; where there is none, docs/moving.md (A damaged backup) says what may save the rows",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first table that is damaged.
        table: String,
    },
    /// A backup whose rows are as they were made, and whose pages are not.
    #[error(
        "the backup `{}` is damaged: the rows of table {table} are as they were, but its pages or those of its indexes are not ({found}). Use another backup; where there is none, docs/moving.md (A damaged backup) says what saves the rows",
        path.display()
    )]
    DamagedPages {
        /// The file.
        path: PathBuf,
        /// The first table that is damaged.
        table: String,
        /// What SQLite says of it.
        found: String,
    },
    /// A file can't be read or written.
    #[error("can't use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Source or target can't be opened.
    #[error("can't open {side}")]
    Open {
        /// Where.
        side: Side,
        /// Why not.
        #[source]
        source: OpenError,
    },
    /// Source or target can't be worked with.
    #[error(transparent)]
    Store(#[from] StoreError),
}
