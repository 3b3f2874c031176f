//! What is sent, and how it is spoken of.

use enlist_wire::BulkRow;
use serde::Serialize;

use super::line::reason;
use crate::output::{Format, Row, Rows};
use crate::text::{shown, word};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// Devices to create.
    Devices,
    /// Entries to add to a manifest.
    Entries,
}

/// An entry of a manifest, as a row of a table.
#[derive(Serialize)]
#[serde(transparent)]
struct Entry<'a>(&'a BulkRow);

impl Items {
    /// What they are.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Entries => "entries",
        }
    }

    /// What is sent for them.
    pub fn sent(self) -> &'static str {
        match self {
            Self::Devices => "names",
            Self::Entries => "rows",
        }
    }

    /// The slug of a call of which some were refused.
    pub fn refused(self) -> &'static str {
        match self {
            Self::Devices => "devices-refused",
            Self::Entries => "entries-refused",
        }
    }

    /// The results, ready to be printed.
    pub fn rows(self, format: Format) -> Rows {
        match self {
            Self::Devices => Rows::of::<BulkRow>(format),
            Self::Entries => Rows::of::<Entry<'_>>(format),
        }
    }

    /// Prints one result.
    pub fn push(self, rows: &mut Rows, row: &BulkRow) -> anyhow::Result<()> {
        match self {
            Self::Devices => rows.push(row),
            Self::Entries => rows.push(&Entry(row)),
        }
    }
}

/// Which one it is.
pub fn which(row: &BulkRow) -> String {
    match (row.row, shown(&row.name)) {
        (None, name) => format!("`{name}`"),
        (Some(number), name) if name.is_empty() => format!("row {number}"),
        (Some(number), name) => format!("row {number}, `{name}`"),
    }
}

impl Row for Entry<'_> {
    const COLUMNS: &'static [&'static str] = &["row", "identity", "result", "reason"];

    fn cells(&self) -> Vec<String> {
        let row = self.0;
        let why = row.problem.as_ref();
        vec![
            row.row
                .map_or_else(String::new, |number| number.to_string()),
            row.name.clone(),
            word(&row.result),
            why.map_or_else(String::new, |_| reason(row)),
        ]
    }
}
