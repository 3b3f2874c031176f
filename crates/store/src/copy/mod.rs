//! Moving a record as a whole: from one engine to the other, into a backup, and back out of one.
//!
//! What is copied is each row of each table that `table.rs` lists, read as it was at one moment, in the order of its
//! keys. A digest over the rows of each table shows that both sides are the same. All of this blocks, and
//! none of it may be called within an async runtime.

mod access;
mod backup;
mod check;
mod error;
mod fill;
mod hold;
mod marker;
mod migrate;
mod place;
mod restore;
mod row;
mod scan;
mod table;
mod verify;

pub use backup::{BackupDescription, backup, verify_backup};
pub use error::CopyError;
pub(crate) use hold::share;
pub(crate) use marker::refuse_unfinished;
pub use migrate::migrate;
pub use place::Side;
pub use restore::restore;
pub use row::TableSum;

use enlist_core::Digest;

/// How far it has come: told again and again, of each table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is being done.
    pub step: CopyStep,
    /// Rows done in this step, those of an earlier run among them.
    pub rows: u64,
    /// Rows there are.
    pub total: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStep {
    /// Rows are copied.
    Copying,
    /// They are read again, and compared.
    Verifying,
    /// The pages that they and their indexes lie on are looked at.
    Checking,
}

/// Who hears of progress.
pub type Hears<'a> = &'a mut dyn FnMut(CopyProgress);

/// What was copied, and found to be the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Of each table.
    pub tables: Vec<TableSum>,
    /// Rows that an earlier, broken-off run had copied already.
    pub resumed_at: u64,
}

impl Copied {
    /// How many rows there are in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// One digest over those of all tables.
    pub fn digest(&self) -> Digest {
        row::total(&self.tables)
    }
}
