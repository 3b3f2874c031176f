//! Comma-separated values (RFC 4180).

use std::fmt;

use csv_core::{ReadRecordResult, Reader};

use super::reader::{ByteOrderMark, LONGEST, ManifestFileError, ManifestRow, only, pair};

/// The most fields of a row.
const MOST_FIELDS: usize = 256;

/// A reader of comma-separated values.
pub(super) struct Csv {
    reader: Reader,
    mark: ByteOrderMark,
    kinds: Vec<String>,
    columns: Option<Columns>,
    text: Vec<u8>,
    text_end: usize,
    ends: Vec<usize>,
    fields: usize,
    rows: u64,
    /// Whether a row has begun and not ended.
    within: bool,
    /// Whether the file has ended between quotes.
    unclosed: bool,
    /// The last byte that ended a row.
    end: u8,
}

/// Which columns say what.
enum Columns {
    /// The places of kind and value.
    Pair(usize, usize),
    /// The kind of each column that is one.
    Kinds(Vec<Option<String>>),
}

impl Csv {
    pub(super) fn new(kinds: Vec<String>) -> Self {
        Self {
            reader: Reader::new(),
            mark: ByteOrderMark::default(),
            kinds,
            columns: None,
            text: vec![0; LONGEST],
            text_end: 0,
            ends: vec![0; MOST_FIELDS],
            fields: 0,
            rows: 0,
            within: false,
            unclosed: false,
            end: b'\n',
        }
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        rows: &mut Vec<ManifestRow>,
    ) -> Result<(), ManifestFileError> {
        let mut rest = self.mark.cut(bytes);
        while let Some((first, behind)) = rest.split_first() {
            if !self.within && matches!(first, b'\r' | b'\n') {
                self.empty(*first);
                rest = behind;
                continue;
            }
            let read = self.read(rest, rows)?;
            rest = &rest[read..];
        }
        Ok(())
    }

    /// Counts an empty row, which the library passes over.
    fn empty(&mut self, end: u8) {
        // But for the second half of what ended the row before.
        if (self.end, end) != (b'\r', b'\n') {
            self.rows += 1;
        }
        self.end = end;
    }

    pub(super) fn finish(&mut self, rows: &mut Vec<ManifestRow>) -> Result<(), ManifestFileError> {
        if self.within {
            // It ends a row everywhere but between quotes.
            self.read(b"\n", rows)?;
            self.unclosed = self.within;
        }
        self.read(&[], rows)?;
        match self.columns {
            Some(_) => Ok(()),
            None => Err(self.unknown_header()),
        }
    }

    /// Reads on; no bytes mean the end.
    fn read(
        &mut self,
        bytes: &[u8],
        rows: &mut Vec<ManifestRow>,
    ) -> Result<usize, ManifestFileError> {
        let (text, ends) = (
            &mut self.text[self.text_end..],
            &mut self.ends[self.fields..],
        );
        let (result, read, written, ended) = self.reader.read_record(bytes, text, ends);
        self.text_end += written;
        self.fields += ended;
        self.within = result != ReadRecordResult::Record;
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => Ok(read),
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                Err(ManifestFileError::TooLong { row: self.rows + 1 })
            }
            ReadRecordResult::Record => {
                self.rows += 1;
                self.end = bytes[..read].last().copied().unwrap_or(b'\n');
                let done = self.take(rows);
                (self.text_end, self.fields) = (0, 0);
                done.map(|()| read)
            }
        }
    }

    /// Takes the row that has just been read.
    fn take(&mut self, rows: &mut Vec<ManifestRow>) -> Result<(), ManifestFileError> {
        let mut from = 0;
        let fields: Option<Vec<&str>> = self.ends[..self.fields]
            .iter()
            .map(|end| {
                let field = std::str::from_utf8(&self.text[from..*end]).ok();
                from = *end;
                field.map(str::trim)
            })
            .collect();
        let identity = match (&self.columns, fields) {
            (None, fields) => {
                let columns = columns(&fields.unwrap_or_default(), &self.kinds);
                self.columns = Some(columns.ok_or_else(|| self.unknown_header())?);
                return Ok(());
            }
            // A line of nothing but commas, as spreadsheets leave them.
            (_, Some(fields)) if fields.iter().all(|field| field.is_empty()) => return Ok(()),
            (Some(_), None) => Err("not UTF-8".to_owned()),
            (Some(Columns::Pair(kind, value)), Some(fields)) => {
                let field = |at: usize| fields.get(at).copied().unwrap_or_default();
                pair(field(*kind), field(*value))
            }
            (Some(Columns::Kinds(kinds)), Some(fields)) => {
                let found = kinds.iter().zip(fields);
                only(found.filter_map(|(kind, value)| {
                    let kind = kind.as_deref().filter(|_| !value.is_empty())?;
                    Some((kind, value))
                }))
            }
        };
        let identity = self.between_quotes(identity);
        rows.push(ManifestRow {
            row: self.rows,
            identity,
        });
        Ok(())
    }

    /// Says so where the row has swallowed others, since a quote in it is closed far below or never.
    fn between_quotes(
        &self,
        identity: Result<(String, String), String>,
    ) -> Result<(String, String), String> {
        let lines = self.text[..self.text_end].split(|byte| matches!(byte, b'\r' | b'\n'));
        let below = lines.skip(1).filter(|line| !line.trim_ascii().is_empty());
        let below = match below.count() {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        };
        match identity {
            _ if self.unclosed => Err(format!(
                "a quote is opened in this row and never closed: {below} below it went with it"
            )),
            Err(why) if !below.starts_with("0 ") => Err(format!(
                "{why}; a quote is opened in this row, and {below} below went with it until one closed it"
            )),
            whole => whole,
        }
    }

    fn unknown_header(&self) -> ManifestFileError {
        let known = self.kinds.join(", ");
        ManifestFileError::Header { known }
    }
}

/// What the columns of this header say; `None` where none is known.
fn columns(header: &[&str], kinds: &[String]) -> Option<Columns> {
    let plain = |cell: &&str| cell.to_ascii_lowercase().replace([' ', '_'], "-");
    let header: Vec<String> = header.iter().map(plain).collect();
    let place = |name: &str| header.iter().position(|cell| cell == name);
    if let (Some(kind), Some(value)) = (place("kind"), place("value")) {
        return Some(Columns::Pair(kind, value));
    }
    let known = |cell: &String| kinds.contains(cell).then(|| cell.clone());
    let columns: Vec<_> = header.iter().map(known).collect();
    columns
        .iter()
        .any(Option::is_some)
        .then_some(Columns::Kinds(columns))
}

impl fmt::Debug for Csv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csv").field("rows", &self.rows).finish()
    }
}
