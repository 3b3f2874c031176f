//! From the bytes of a manifest's file to its rows, in constant memory.

use super::csv::Csv;
use super::json::Json;

/// The longest row, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// In what form a manifest's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestFormat {
    /// RFC 4180, with a header that names the columns.
    Csv,
    /// One JSON array, or a JSON value on each line.
    Json,
}

/// One row of a manifest's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRow {
    /// Which one: as a spreadsheet counts them, so that the first below a header is row 2; values of
    /// JSON from 1.
    pub row: u64,
    /// Kind and value of the identity, or why there is none.
    pub identity: Result<(String, String), String>,
}

/// Why the rest of a file can't be read. What was read before stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFileError {
    /// The header names nothing that is known.
    #[error(
        "the header names no kind of identity: it has to have a column called `kind` and one called `value`, or one or more of {known}"
    )]
    Header {
        /// The kinds there are.
        known: String,
    },
    /// A row that never ends.
    #[error(
        "row {row} is over {LONGEST} bytes, or has too many fields: this is no manifest, or a quote that the row opens is never closed"
    )]
    TooLong {
        /// Which one.
        row: u64,
    },
    /// Something follows a JSON array.
    #[error("the file goes on behind its JSON array, which ended with row {row}")]
    NotAnArray {
        /// The last row before it.
        row: u64,
    },
    /// It ends in the middle.
    #[error("the file ends behind row {row} before it is whole")]
    Cut {
        /// The last row before the end.
        row: u64,
    },
}

/// Reads a manifest's file as it comes, piece by piece.
#[derive(Debug)]
pub struct ManifestReader(Form);

#[derive(Debug)]
enum Form {
    Csv(Box<Csv>),
    Json(Json),
}

impl ManifestReader {
    /// A reader that knows these kinds of identity: columns and members of other names are passed over.
    pub fn new(format: ManifestFormat, kinds: &[&str]) -> Self {
        let kinds: Vec<_> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Self(match format {
            ManifestFormat::Csv => Form::Csv(Box::new(Csv::new(kinds))),
            ManifestFormat::Json => Form::Json(Json::new(kinds)),
        })
    }

    /// Takes the next piece of the file; adds the rows that end in it.
    ///
    /// # Errors
    /// When the rest makes no sense. Nothing more is to be fed then.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        rows: &mut Vec<ManifestRow>,
    ) -> Result<(), ManifestFileError> {
        match &mut self.0 {
            Form::Csv(csv) => csv.feed(bytes, rows),
            Form::Json(json) => json.feed(bytes, rows),
        }
    }

    /// Takes the end of the file; adds the row that ends with it.
    ///
    /// # Errors
    /// When the file is not whole.
    pub fn finish(&mut self, rows: &mut Vec<ManifestRow>) -> Result<(), ManifestFileError> {
        match &mut self.0 {
            Form::Csv(csv) => csv.finish(rows),
            Form::Json(json) => json.finish(rows),
        }
    }
}

/// The identity of this kind and value.
pub(super) fn pair(kind: &str, value: &str) -> Result<(String, String), String> {
    match (kind.trim(), value.trim()) {
        ("", _) | (_, "") => Err("no identity".to_owned()),
        (_, value) if value.contains(['\r', '\n']) => Err("an identity is of one line".to_owned()),
        (kind, value) => Ok((kind.to_ascii_lowercase(), value.to_owned())),
    }
}

/// The one identity among those that a row has.
pub(super) fn only<'a>(
    mut found: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(String, String), String> {
    match (found.next(), found.next()) {
        (Some((kind, value)), None) => pair(kind, value),
        (None, _) => Err("no identity".to_owned()),
        (Some((first, _)), Some((second, _))) => Err(format!(
            "more than one identity ({first}, {second}): say which kind to take"
        )),
    }
}

/// Cuts the mark that some programs begin a file with off its first bytes, which may come one by one.
#[derive(Debug, Default)]
pub(super) struct ByteOrderMark {
    seen: usize,
}

impl ByteOrderMark {
    const BYTES: [u8; 3] = [0xEF, 0xBB, 0xBF];

    /// The bytes without it.
    pub(super) fn cut<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let (Some(mark), Some(first)) = (Self::BYTES.get(self.seen), bytes.first()) {
            if mark != first {
                self.seen = Self::BYTES.len();
                break;
            }
            self.seen += 1;
            bytes = &bytes[1..];
        }
        bytes
    }
}
