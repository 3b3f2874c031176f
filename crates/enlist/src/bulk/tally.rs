//! Counting and telling what became of what was sent.

use std::time::Instant;

use enlist_wire::{BulkEnd, BulkResult, BulkRow};
use indicatif::ProgressBar;

use super::garbage;
use super::items::{Items, which};
use super::line::reason;
use super::names_file::NamesFile;
use crate::failure::refused;
use crate::output::{Format, Rows};
use crate::progress;
use crate::say::say;
use crate::text::{shown, word};

/// The results so far.
pub struct Tally {
    items: Items,
    created: u64,
    existing: u64,
    refused: u64,
    begun: Instant,
    bar: ProgressBar,
    rows: Option<Rows>,
    names: Option<NamesFile>,
    verbose: bool,
}

impl Tally {
    /// Nothing yet, of `total` items.
    pub fn new(
        items: Items,
        total: Option<u64>,
        format: Option<Format>,
        verbose: bool,
        names: Option<NamesFile>,
    ) -> Self {
        Self {
            items,
            created: 0,
            existing: 0,
            refused: 0,
            begun: Instant::now(),
            bar: progress::bar(total, items.noun()),
            rows: format.map(|format| items.rows(format)),
            names,
            verbose,
        }
    }

    /// Takes one result.
    pub fn row(&mut self, row: &BulkRow) -> anyhow::Result<()> {
        match row.result {
            BulkResult::Created => self.created += 1,
            BulkResult::Existing => self.existing += 1,
            BulkResult::Refused => self.refused += 1,
        }
        self.bar.inc(1);
        if row.result == BulkResult::Refused {
            let (which, reason) = (which(row), shown(&reason(row)));
            self.bar.suspend(|| say!("refused: {which}: {reason}"));
        } else {
            if let Some(names) = &mut self.names {
                names.add(&row.name)?;
            }
            if self.verbose {
                let (which, result) = (which(row), word(&row.result));
                self.bar.suspend(|| say!("{result}: {which}"));
            }
        }
        match &mut self.rows {
            Some(rows) => self.items.push(rows, row),
            None => Ok(()),
        }
    }

    /// How many results have come.
    pub fn seen(&self) -> u64 {
        self.created + self.existing + self.refused
    }

    /// Holds the server's own count against the results.
    pub fn check(&self, end: &BulkEnd) -> anyhow::Result<()> {
        if (end.created, end.existing, end.refused) == (self.created, self.existing, self.refused) {
            return Ok(());
        }
        Err(garbage("counts other results than it gave"))
    }

    /// Puts the progress display away without a result.
    pub fn abandon(&self) {
        self.bar.finish_and_clear();
    }

    /// Tells the result; fails if any name was refused.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        if let Some(rows) = self.rows.take() {
            rows.finish()?;
        }
        let seen = self.seen();
        let seconds = self.begun.elapsed().as_secs_f64();
        if seen == 0 && self.items == Items::Entries {
            say!("There are no rows in the file, so nothing was added, and no manifest was made.");
            return Ok(());
        }
        say!(
            "{seen} {} in {seconds:.1} s: {} created, {} there already, {} refused.",
            self.items.noun(),
            self.created,
            self.existing,
            self.refused
        );
        if self.refused > 0 {
            return Err(refused(
                self.items.refused(),
                format!(
                    "{} of the {seen} {} were refused, for the reasons above; the others are there{}",
                    self.refused,
                    self.items.sent(),
                    if self.names.is_some() {
                        ", and no names file was written"
                    } else {
                        ""
                    }
                ),
            ));
        }
        match self.names.take() {
            Some(names) => names.finish(),
            None => Ok(()),
        }
    }
}
