//! Columns for people.
//!
//! A table of any length is printed in constant memory: a chunk of rows at a time, each chunk at
//! least as wide as the one before.

use std::io::{self, Write};

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Width};

use crate::say::colours_on_stdout;
use crate::text::shown;

/// Rows that are laid out together.
const CHUNK: usize = 500;
/// Blanks between two columns.
const GAP: u16 = 2;

/// Rows that wait to be printed, and how wide the columns have become.
pub struct Table {
    header: Option<&'static [&'static str]>,
    widths: Vec<u16>,
    rows: Vec<Vec<String>>,
    colours: bool,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &'static [&'static str]) -> Self {
        Self {
            header: Some(columns),
            widths: vec![0; columns.len()],
            rows: Vec::new(),
            colours: colours_on_stdout(),
        }
    }

    /// Takes a row, and prints what has gathered when it is enough.
    pub fn push(&mut self, cells: Vec<String>, out: &mut impl Write) -> io::Result<()> {
        self.rows.push(cells);
        if self.rows.len() < CHUNK {
            return Ok(());
        }
        self.print(out)
    }

    /// Prints what has gathered; the header too, if it is the first time.
    pub fn print(&mut self, out: &mut impl Write) -> io::Result<()> {
        let mut table = bare();
        if self.colours {
            table.enforce_styling();
        }
        if let Some(columns) = self.header.take() {
            table.set_header(columns.iter().map(|name| name.to_uppercase()));
        } else if self.rows.is_empty() {
            return Ok(());
        }
        for cells in self.rows.drain(..) {
            table.add_row(cells.iter().map(|cell| coloured(cell, self.colours)));
        }
        let widths = table.column_max_content_widths();
        for (known, width) in self.widths.iter_mut().zip(widths) {
            *known = width.max(*known);
        }
        let constraint = |width: &u16| ColumnConstraint::LowerBoundary(Width::Fixed(*width + GAP));
        table.set_constraints(self.widths.iter().map(constraint));
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Prints one row as lines of `column: value`.
pub fn upright(columns: &[&str], cells: Vec<String>, out: &mut impl Write) -> io::Result<()> {
    let width = columns.iter().map(|name| name.len()).max().unwrap_or(0) + 1;
    for (name, cell) in columns.iter().zip(cells) {
        let line = format!("{:width$}  {}", format!("{name}:"), shown(&cell));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn bare() -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// States are the one thing worth a colour: they are what an eye looks for.
fn coloured(cell: &str, colours: bool) -> Cell {
    let plain = Cell::new(shown(cell));
    if !colours {
        return plain;
    }
    match cell {
        "active" | "current" => plain.fg(Color::Green),
        "pending" | "suspended" | "held" | "awaiting-ca" => plain.fg(Color::Yellow),
        "revoked" | "expired" | "used-up" | "decommissioning" | "decommissioned" => {
            plain.fg(Color::Red)
        }
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_has_one_header_and_columns_that_stay() {
        let mut table = Table::new(&["name", "state"]);
        table.colours = false;
        let mut out = Vec::new();
        for n in (0..1200).rev() {
            let row = vec![format!("device-{n}"), "created".to_owned()];
            table.push(row, &mut out).unwrap();
        }
        table.print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1201);
        assert_eq!(lines.iter().filter(|line| line.contains("NAME")).count(), 1);
        let columns: Vec<_> = lines.iter().map(|line| line.find("created")).collect();
        assert!(columns[1..].iter().all(|at| *at == columns[1]), "{text}");
        assert!(lines[1].starts_with("device-1199  created"), "{}", lines[1]);
        assert!(lines.iter().all(|line| !line.contains('\x1b')));
    }
}
