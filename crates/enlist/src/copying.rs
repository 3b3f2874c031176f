//! What is shown of a copy, while it is made and afterwards.

use std::pin::pin;

use anyhow::Context as _;
use enlist_ops::{Copied, CopyError, CopyProgress, CopyStep, Hears};
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::cli::Global;
use crate::failure::refused;
use crate::interrupt::interrupted;
use crate::output::{self, Format, Row, Rows};
use crate::progress;

/// A bar over the rows: first as they are copied, then as they are read again.
pub struct Watch {
    bar: Option<ProgressBar>,
    step: Option<CopyStep>,
}

impl Watch {
    /// Nothing is shown before there is something to show.
    pub fn new() -> Self {
        Self {
            bar: None,
            step: None,
        }
    }

    /// Shows how far it has come.
    pub fn hear(&mut self, told: CopyProgress) {
        if self.step.replace(told.step) != Some(told.step) {
            self.clear();
        }
        let bar = self.bar.get_or_insert_with(|| {
            let what = match told.step {
                CopyStep::Copying => "rows copied",
                CopyStep::Verifying => "rows verified",
                CopyStep::Checking => "rows' pages and indexes checked",
            };
            let bar = progress::bar(Some(told.total), what);
            // What an earlier run has done took no time in this one.
            bar.with_position(told.rows)
        });
        bar.set_position(told.rows);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Has `work` copy, and shows how far it has come, until it is done or this program is told to end. The outer
/// error is that of an interruption, which says `left`: what is there now, and what to do.
pub fn unless_interrupted<T: Send + 'static>(
    left: &str,
    work: impl FnOnce(Hears<'_>) -> Result<T, CopyError> + Send + 'static,
) -> anyhow::Result<Result<T, CopyError>> {
    let (tells, mut told) = mpsc::unbounded_channel();
    let (done, mut outcome) = oneshot::channel();
    // What it does can't be broken off from within. It ends with the program, as with a power cut.
    std::thread::spawn(move || {
        let worked = work(&mut |progress| {
            let _ = tells.send(progress);
        });
        let _ = done.send(worked);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the program can't wait for signals")?;
    runtime.block_on(async {
        let (mut watch, mut stop) = (Watch::new(), pin!(interrupted()));
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Err(refused("interrupted", format!("interrupted: {left}"))),
                outcome = &mut outcome => {
                    return outcome.context("the copy failed by a fault of this program");
                }
                Some(progress) = told.recv() => watch.hear(progress),
            }
        }
    })
}

/// What a table came to.
#[derive(Debug, Serialize)]
pub struct TableShown {
    table: String,
    rows: u64,
    sha256: String,
}

impl TableShown {
    /// A table by its parts.
    pub fn new(table: &str, rows: u64, sha256: impl Into<String>) -> Self {
        Self {
            table: table.to_owned(),
            rows,
            sha256: sha256.into(),
        }
    }
}

impl Row for TableShown {
    const COLUMNS: &'static [&'static str] = &["TABLE", "ROWS", "SHA-256"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.table.clone(),
            self.rows.to_string(),
            self.sha256.clone(),
        ]
    }
}

/// A copy that is complete, and the same on both sides.
#[derive(Debug, Serialize)]
pub struct CopiedShown {
    rows: u64,
    /// One digest over those of all tables.
    sha256: String,
    /// Rows that an earlier, broken-off run had copied.
    resumed_at: u64,
    tables: Vec<TableShown>,
}

impl CopiedShown {
    /// What is printed of it.
    pub fn new(copied: &Copied) -> Self {
        let shown =
            |sum: &enlist_ops::TableSum| TableShown::new(&sum.table, sum.rows, sum.digest.to_hex());
        Self {
            rows: copied.rows(),
            sha256: copied.digest().to_hex(),
            resumed_at: copied.resumed_at,
            tables: copied.tables.iter().map(shown).collect(),
        }
    }

    /// Prints it: whole as JSON, else its tables.
    pub fn print(self, global: &Global) -> anyhow::Result<()> {
        print(global, &self, &self.tables)
    }
}

/// Prints `whole` as JSON, or else its tables one by one.
pub fn print(global: &Global, whole: &impl Serialize, tables: &[TableShown]) -> anyhow::Result<()> {
    match global.output.unwrap_or(Format::Table) {
        Format::Json => output::json(whole),
        format => {
            let mut rows = Rows::of::<TableShown>(format);
            for table in tables {
                rows.push(table)?;
            }
            rows.finish()
        }
    }
}
