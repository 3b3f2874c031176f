//! Rows that are kept for a moment, and what their digests are taken over.

use enlist_core::Digest;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::CopyError;
use super::table::Table;
use crate::engine::Row;
use crate::value::Value;

/// One value of a row, owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Owned {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Owned {
    pub(super) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }

    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        let more = match self {
            Self::Null | Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        more + size_of::<Self>()
    }
}

/// The value of a column of a row.
///
/// # Errors
/// When it is of a type that is never stored.
pub(super) fn value<'a>(
    row: &'a dyn Row,
    table: &Table,
    column: usize,
) -> Result<Value<'a>, CopyError> {
    row.value(column).ok_or_else(|| CopyError::Unreadable {
        table: table.name.clone(),
        column: table.columns.get(column).cloned().unwrap_or_default(),
    })
}

/// The digest of a table: SHA-256 over its rows in the order of their keys. Of each column in its turn: a
/// byte for its type, and, as 8 bytes each with the most significant first, the number, or the length of
/// text (UTF-8) or bytes, which follow.
pub(super) struct Sum {
    hash: sha2::Sha256,
    rows: u64,
}

impl Sum {
    pub(super) fn new() -> Self {
        Self {
            hash: sha2::Sha256::new(),
            rows: 0,
        }
    }

    /// One more row of `table`.
    pub(super) fn add(&mut self, table: &Table, row: &dyn Row) -> Result<(), CopyError> {
        for column in 0..table.columns.len() {
            match value(row, table, column)? {
                Value::Null => self.hash.update([0]),
                Value::Int(number) => {
                    self.hash.update([1]);
                    self.hash.update(number.to_be_bytes());
                }
                Value::Text(text) => self.long(2, text.as_bytes()),
                Value::Bytes(bytes) => self.long(3, bytes),
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn long(&mut self, tag: u8, bytes: &[u8]) {
        self.hash.update([tag]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn done(self, table: &Table) -> TableSum {
        TableSum {
            table: table.name.clone(),
            rows: self.rows,
            digest: Digest::from_bytes(self.hash.finalize().into()),
        }
    }
}

/// What a table holds, in short: two that are the same in this hold the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over them in the order of their keys.
    pub digest: Digest,
}

/// One digest over those of all tables: SHA-256 over a line for each, with its name, rows and digest (hexadecimal).
pub(super) fn total(sums: &[TableSum]) -> Digest {
    let lines: String = sums
        .iter()
        .map(|sum| format!("{} {} {}\n", sum.table, sum.rows, sum.digest.to_hex()))
        .collect();
    Digest::of(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::table::tables;
    use super::*;

    struct Two<'a>(Value<'a>, Value<'a>);

    impl Row for Two<'_> {
        fn value(&self, column: usize) -> Option<Value<'_>> {
            [self.0, self.1].get(column).copied()
        }
    }

    fn digest(rows: &[Two<'_>]) -> Digest {
        let tables = tables();
        let settings = tables.last().unwrap();
        let mut sum = Sum::new();
        for row in rows {
            sum.add(settings, row).unwrap();
        }
        sum.done(settings).digest
    }

    #[test]
    fn where_one_value_ends_and_the_next_begins_counts() {
        use Value::{Bytes, Int, Null, Text};
        let of = |a, b| digest(&[Two(a, b)]);
        assert_ne!(
            of(Text("ab"), Text("c")),
            of(Text("a"), Text("bc")),
            "the lengths count"
        );
        assert_ne!(of(Text("a"), Null), of(Text("a"), Text("")));
        assert_ne!(of(Text("a"), Bytes(b"b")), of(Text("a"), Text("b")));
        assert_ne!(of(Int(1), Int(0)), of(Int(0), Int(1)));
        assert_eq!(of(Int(1), Bytes(b"b")), of(Int(1), Bytes(b"b")));
    }

    #[test]
    fn a_type_that_is_never_stored_is_named() {
        struct Real;
        impl Row for Real {
            fn value(&self, _: usize) -> Option<Value<'_>> {
                None
            }
        }
        let table = tables().pop().unwrap();
        let error = Sum::new().add(&table, &Real).unwrap_err();
        assert!(error.to_string().contains("settings"), "{error}");
    }
}
