//! What commands print: data on standard output, in the form that was asked for.

mod csv;
mod table;

use std::io::{BufWriter, Stdout, Write};

use anyhow::Context;
use enlist_wire::SecretText;
use serde::Serialize;

use crate::failure::written;
use table::Table;

/// The forms that data is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object, or an array of them
    Json,
    /// Columns for people
    Table,
    /// Comma-separated values (RFC 4180), with a header
    Csv,
}

/// Something that is printed as a row.
pub trait Row: Serialize {
    /// What the columns are called.
    const COLUMNS: &'static [&'static str];

    /// What stands in the columns; as many as there are.
    fn cells(&self) -> Vec<String>;
}

/// Prints rows one after another as they come, keeping none.
pub struct Rows {
    form: Form,
    columns: &'static [&'static str],
    out: BufWriter<Stdout>,
}

enum Form {
    Json { empty: bool },
    Table(Table),
    Csv { begun: bool },
}

impl Rows {
    /// Begins a list of `T`.
    pub fn of<T: Row>(format: Format) -> Self {
        let form = match format {
            Format::Json => Form::Json { empty: true },
            Format::Table => Form::Table(Table::new(T::COLUMNS)),
            Format::Csv => Form::Csv { begun: false },
        };
        Self {
            form,
            columns: T::COLUMNS,
            out: BufWriter::with_capacity(64 * 1024, std::io::stdout()),
        }
    }

    /// Prints one row.
    pub fn push<T: Row>(&mut self, row: &T) -> anyhow::Result<()> {
        let out = &mut self.out;
        let outcome = match &mut self.form {
            Form::Json { empty } => {
                let before: &[u8] = if *empty { b"[\n" } else { b",\n" };
                *empty = false;
                out.write_all(before)
                    .and_then(|()| Ok(serde_json::to_writer(&mut *out, row)?))
            }
            Form::Table(table) => table.push(row.cells(), out),
            Form::Csv { begun } => {
                let header = if std::mem::replace(begun, true) {
                    Ok(())
                } else {
                    csv::line(self.columns.iter().copied(), out)
                };
                header.and_then(|()| csv::line(row.cells().iter().map(String::as_str), out))
            }
        };
        written(outcome)
    }

    /// Ends the list. Without it, JSON is not complete.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let out = &mut self.out;
        let outcome = match self.form {
            Form::Json { empty: true } => out.write_all(b"[]\n"),
            Form::Json { empty: false } => out.write_all(b"\n]\n"),
            Form::Table(mut table) => table.print(out),
            Form::Csv { begun: false } => csv::line(self.columns.iter().copied(), out),
            Form::Csv { begun: true } => Ok(()),
        };
        written(outcome.and_then(|()| self.out.flush()))
    }
}

/// Prints one thing: as a JSON object, as `column: value` lines, or as a header and a line of CSV.
pub fn one<T: Row>(format: Format, row: &T) -> anyhow::Result<()> {
    if format == Format::Csv {
        let mut rows = Rows::of::<T>(format);
        rows.push(row)?;
        return rows.finish();
    }
    let mut out = BufWriter::new(std::io::stdout());
    let outcome = if format == Format::Json {
        serde_json::to_writer_pretty(&mut out, row)
            .map_err(Into::into)
            .and_then(|()| out.write_all(b"\n"))
    } else {
        table::upright(T::COLUMNS, row.cells(), &mut out)
    };
    written(outcome.and_then(|()| out.flush()))
}

/// Prints a document as JSON for people.
pub fn document(document: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout());
    let outcome = serde_json::to_writer_pretty(&mut out, document)
        .map_err(Into::into)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    written(outcome)
}

/// Prints one thing as JSON, whatever else it could be printed as.
pub fn json(thing: &impl Serialize) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout());
    let outcome = serde_json::to_writer_pretty(&mut out, thing)
        .map_err(Into::into)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    written(outcome)
}

/// Prints one line.
pub fn line(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{text}\n").as_bytes())?;
    out.flush()
}

/// Prints what is shown this once: all of `whole` as JSON, or else `secret` alone on its line.
///
/// If it can't be written it is lost, and that is a failure even where its reader has merely gone;
/// `remedy` is the command that makes another.
pub fn once(
    format: Option<Format>,
    whole: &impl Serialize,
    secret: &SecretText,
    remedy: &str,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let outcome = if format == Some(Format::Json) {
        serde_json::to_writer_pretty(&mut out, whole).map_err(Into::into)
    } else {
        out.write_all(secret.expose().as_bytes())
    };
    outcome
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .with_context(|| {
            format!("standard output can't be written, so that the secret is lost: {remedy} makes another")
        })
}
