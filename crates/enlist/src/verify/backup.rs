//! `enlist verify backup`: whether a backup holds what it held.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_ops::{BackupDescription, verify_backup};
use enlist_wire::Time;
use serde::Serialize;

use crate::cli::Global;
use crate::copying::{TableShown, Watch, print};
use crate::say::say;

/// Check that a backup holds what it held when it was made
///
/// Each row is read and hashed, and SQLite checks the pages and indexes of each table. It shows damage; against
/// somebody who changes a backup on purpose, compare the SHA-256 with the one that `enlist backup` printed (it
/// is of the record, not of the file), and verify the exported events.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyBackup {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  enlist verify backup /backup/enlist-monday.backup
  enlist verify backup /backup/enlist-monday.backup -o json";

impl VerifyBackup {
    /// Checks it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let mut watch = Watch::new();
        let found = verify_backup(&self.file, &mut |told| watch.hear(told))
            .with_context(|| format!("`{}` is not to be relied on", self.file.display()))?;
        drop(watch);
        let shown = BackupShown::new(&found);
        say!(
            "Nothing is wrong with the backup: made {} by Enlist {} from {}, {} rows, SHA-256 {}.",
            shown.made_at,
            shown.made_by,
            shown.engine,
            shown.rows,
            shown.sha256
        );
        shown.print(global)
    }
}

/// What is printed of a backup.
#[derive(Debug, Serialize)]
pub struct BackupShown {
    made_at: Time,
    made_by: String,
    engine: String,
    schema_version: i64,
    rows: u64,
    /// One digest over those of all tables.
    sha256: String,
    tables: Vec<TableShown>,
}

impl BackupShown {
    /// What a backup says about itself.
    pub fn new(backup: &BackupDescription) -> Self {
        Self {
            made_at: Time::from_millis(backup.made_at.as_millis()),
            made_by: backup.program.clone(),
            engine: backup.engine.clone(),
            schema_version: backup.schema_version,
            rows: backup.rows(),
            sha256: backup.digest().to_hex(),
            tables: backup
                .tables()
                .map(|(table, rows, digest)| TableShown::new(table, rows, digest))
                .collect(),
        }
    }

    /// Prints it: whole as JSON, else its tables.
    pub fn print(self, global: &Global) -> anyhow::Result<()> {
        print(global, &self, &self.tables)
    }
}
