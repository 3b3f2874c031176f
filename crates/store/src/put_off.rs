//! What a batch has put off: statements that nearly always take effect, and looks that nearly always find
//! nothing. The job goes on in that hope; before the commit all of them are carried out, those of many
//! jobs as one, and where a hope has failed the batch is taken back and run again without any.
//!
//! That saves a round trip a statement. So it is for engines that have round trips.

use crate::value::Value;

/// A statement that can be put off.
#[derive(Debug)]
pub(crate) struct Put {
    /// The table that it changes or looks into.
    pub(crate) table: &'static str,
    /// The statement for one row, in one of the forms that `postgres/many.rs` knows.
    pub(crate) sql: &'static str,
    /// What it is hoped to come to.
    pub(crate) expected: Expected,
}

/// What a statement is hoped to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It takes effect, on one row.
    EachRow,
    /// It finds none.
    NoRow,
}

/// Statements that were put off, each with its rows.
#[derive(Debug, Default)]
pub(crate) struct PutOff {
    /// In the order in which each was first needed; looks come last when they are carried out.
    statements: Vec<(&'static Put, Rows)>,
    rows: usize,
}

/// How much had been put off at some time.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    rows: Vec<usize>,
    total: usize,
}

impl PutOff {
    /// Puts one row off.
    pub(crate) fn add(&mut self, put: &'static Put, values: &[Value<'_>]) {
        let known = self
            .statements
            .iter()
            .position(|(known, _)| std::ptr::eq(*known, put));
        let at = known.unwrap_or_else(|| {
            self.statements.push((put, Rows::default()));
            self.statements.len() - 1
        });
        self.statements[at].1.add(values);
        self.rows += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn clear(&mut self) {
        for (_, rows) in &mut self.statements {
            rows.cut(0);
        }
        self.rows = 0;
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            rows: self.statements.iter().map(|(_, rows)| rows.len()).collect(),
            total: self.rows,
        }
    }

    /// Whether more has been put off since.
    pub(crate) fn is_past(&self, mark: &Mark) -> bool {
        self.rows > mark.total
    }

    /// Forgets what was put off since.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        let before = mark.rows.iter().copied().chain(std::iter::repeat(0));
        for ((_, rows), before) in self.statements.iter_mut().zip(before) {
            rows.cut(before);
        }
        self.rows = self.statements.iter().map(|(_, rows)| rows.len()).sum();
    }

    /// Whether a statement is about a table that has something put off.
    pub(crate) fn concerns(&self, sql: &str) -> bool {
        let mut waiting = self.statements.iter().filter(|(_, rows)| rows.len() > 0);
        waiting.any(|(put, _)| mentions(sql, put.table))
    }

    /// All that has rows: what changes first, then the looks, which are to see it.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (&'static Put, &Rows)> {
        let of = |wanted: Expected| {
            self.statements
                .iter()
                .filter(move |(put, rows)| put.expected == wanted && rows.len() > 0)
                .map(|(put, rows)| (*put, rows))
        };
        of(Expected::EachRow).chain(of(Expected::NoRow))
    }
}

/// The values of some rows, kept in two pieces of memory.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
    cells: Vec<Cell>,
    width: usize,
}

#[derive(Debug, Clone, Copy)]
enum Cell {
    Null,
    Int(i64),
    /// Where it stands.
    Text(usize, usize),
    Bytes(usize, usize),
}

impl Rows {
    fn add(&mut self, values: &[Value<'_>]) {
        self.width = values.len();
        for value in values {
            let start = self.bytes.len();
            let cell = match *value {
                Value::Null => Cell::Null,
                Value::Int(number) => Cell::Int(number),
                Value::Text(text) => {
                    self.bytes.extend_from_slice(text.as_bytes());
                    Cell::Text(start, self.bytes.len())
                }
                Value::Bytes(bytes) => {
                    self.bytes.extend_from_slice(bytes);
                    Cell::Bytes(start, self.bytes.len())
                }
            };
            self.cells.push(cell);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    fn cut(&mut self, rows: usize) {
        let kept = rows * self.width;
        let first_gone = self.cells.iter().skip(kept).find_map(|cell| match cell {
            Cell::Text(start, _) | Cell::Bytes(start, _) => Some(*start),
            Cell::Null | Cell::Int(_) => None,
        });
        if let Some(start) = first_gone {
            self.bytes.truncate(start);
        }
        self.cells.truncate(kept);
    }

    /// The values of one column, counted from 0.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = Value<'_>> {
        let cells = self.cells.iter().skip(column).step_by(self.width.max(1));
        cells.map(|cell| self.value(cell))
    }

    fn value(&self, cell: &Cell) -> Value<'_> {
        match *cell {
            Cell::Null => Value::Null,
            Cell::Int(number) => Value::Int(number),
            // It was a text when it was put there.
            Cell::Text(start, end) => {
                Value::Text(std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default())
            }
            Cell::Bytes(start, end) => Value::Bytes(&self.bytes[start..end]),
        }
    }
}

/// Whether a table's name stands in a statement, as a word.
pub(crate) fn mentions(sql: &str, table: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = sql.as_bytes();
    sql.match_indices(table).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !is_part(before) && !is_part(bytes.get(at + table.len()))
    })
}

/// The table that a statement changes; `None` where that is not plain to see.
pub(crate) fn target(sql: &str) -> Option<&str> {
    let mut words = sql.split_whitespace();
    match words.next()? {
        "UPDATE" => words.next(),
        "INSERT" | "DELETE" => words.nth(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::values;

    static ONE: Put = Put {
        table: "ones",
        sql: "",
        expected: Expected::EachRow,
    };
    static NONE: Put = Put {
        table: "nones",
        sql: "",
        expected: Expected::NoRow,
    };

    fn column(put_off: &PutOff, put: &'static Put, column: usize) -> Vec<String> {
        let rows = put_off
            .statements()
            .find(|(known, _)| std::ptr::eq(*known, put));
        let rows = rows.map(|(_, rows)| rows.column(column));
        rows.into_iter()
            .flatten()
            .map(|value| format!("{value:?}"))
            .collect()
    }

    #[test]
    fn what_came_after_a_mark_is_forgotten_and_nothing_else() {
        let mut put_off = PutOff::default();
        put_off.add(&NONE, values![&b"early"[..]]);
        put_off.add(&ONE, values!["first", 1, &b"\0"[..]]);
        let mark = put_off.mark();
        assert!(!put_off.is_past(&mark));
        put_off.add(&ONE, values!["second", 2, Option::<i64>::None]);
        put_off.add(&NONE, values![&b"late"[..]]);
        assert!(put_off.is_past(&mark));
        assert_eq!(
            column(&put_off, &ONE, 0),
            ["Text(\"first\")", "Text(\"second\")"]
        );
        assert_eq!(column(&put_off, &ONE, 2), ["Bytes([0])", "Null"]);
        put_off.back_to(&mark);
        assert_eq!(column(&put_off, &ONE, 0), ["Text(\"first\")"]);
        put_off.add(&ONE, values!["third", 3, &b"x"[..]]);
        assert_eq!(
            column(&put_off, &ONE, 0),
            ["Text(\"first\")", "Text(\"third\")"]
        );
        assert_eq!(column(&put_off, &ONE, 1), ["Int(1)", "Int(3)"]);
        // What looks comes last, whenever it was asked.
        let order: Vec<_> = put_off.statements().map(|(put, _)| put.table).collect();
        assert_eq!(order, ["ones", "nones"]);
        put_off.clear();
        assert!(put_off.is_empty() && put_off.statements().next().is_none());
    }

    #[test]
    fn a_table_is_mentioned_by_its_whole_name() {
        let mut put_off = PutOff::default();
        put_off.add(&ONE, values![1]);
        for (sql, concerns) in [
            ("SELECT 1 FROM ones WHERE a = $1", true),
            ("SELECT ones.a FROM other", true),
            ("SELECT max_ones, ones_of FROM bones", false),
            ("DELETE FROM ones", true),
            ("SELECT 1 FROM nones", false),
        ] {
            assert_eq!(put_off.concerns(sql), concerns, "{sql}");
        }
        assert_eq!(target("INSERT INTO ones (a) VALUES ($1)"), Some("ones"));
        assert_eq!(target("DELETE FROM ones WHERE a = $1"), Some("ones"));
        assert_eq!(target("UPDATE ones SET a = $1"), Some("ones"));
        assert_eq!(target("WITH ones AS (SELECT 1) DELETE FROM twos"), None);
    }
}
