//! Where a store lives and how much of the machine it takes.

use std::path::PathBuf;

/// Where a store lives.
#[derive(Debug, Clone)]
pub enum Location {
    /// In memory, gone with the store: for tests.
    Memory,
    /// SQLite in this data directory, as `enlist.db`.
    File(PathBuf),
    /// PostgreSQL, or what speaks its protocol, by its URL.
    Postgres(String),
}

/// How much of the machine a store takes. The default suits a server.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Writers on PostgreSQL, each with a connection of its own. SQLite has one.
    pub writers: usize,
    /// Readers, each with a connection of its own.
    pub readers: usize,
    /// The most jobs that are committed together.
    pub batch: usize,
    /// The most jobs that may wait; more are refused as busy.
    pub queue: usize,
    /// The most pages of 4 KiB that SQLite's file may have; `None` for no limit but the disk's.
    pub max_pages: Option<u32>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            writers: 4,
            readers: 3,
            batch: 512,
            queue: 8192,
            max_pages: None,
        }
    }
}
