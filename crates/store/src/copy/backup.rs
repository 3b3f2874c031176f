//! A backup: a SQLite file with the same tables, whichever engine it was made from, and a description of
//! itself.

use std::path::Path;

use enlist_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::check::check;
use super::marker::{Kind, Marker};
use super::migrate::{fill, identity};
use super::place::{Opened, Place};
use super::row::TableSum;
use super::scan::counts;
use super::table::{Table, tables};
use super::verify::sums;
use super::{CopyError, CopyProgress, CopyStep, Hears};
use crate::migrate::KNOWN;
use crate::value::{Value, values};
use crate::{Location, StoreError};

/// The version of the format: of the description and of what the digests are taken over.
const FORMAT: u32 = 1;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupDescription {
    format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When the moment was that it shows.
    pub made_at: Timestamp,
    /// From which engine: `sqlite` or `postgresql`.
    pub engine: String,
    /// The version of the schema.
    pub schema_version: i64,
    tables: Vec<Described>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Described {
    #[serde(flatten)]
    table: Table,
    rows: u64,
    /// SHA-256, in hexadecimal.
    digest: String,
}

impl BackupDescription {
    /// How many rows there are in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|it| it.rows).sum()
    }

    /// Each table's name, rows and digest (SHA-256, hexadecimal).
    pub fn tables(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.tables
            .iter()
            .map(|it| (it.table.name.as_str(), it.rows, it.digest.as_str()))
    }

    /// One digest over those of all tables: that of two copies of the same is the same.
    pub fn digest(&self) -> Digest {
        let lines: String = self
            .tables()
            .map(|(name, rows, digest)| format!("{name} {rows} {digest}\n"))
            .collect();
        Digest::of(lines.as_bytes())
    }
}

/// Writes a backup of the record at `from` into `file`, which is there and empty, and reads it again. It
/// shows one moment, all that was answered before among it. Servers go on meanwhile. It is up to the caller
/// to make the file durable.
///
/// # Errors
/// When the source is of another schema or can't be read, or the file can't be written.
pub fn backup(
    from: &Location,
    file: &Path,
    program: &str,
    now: Timestamp,
    hears: Hears<'_>,
) -> Result<BackupDescription, CopyError> {
    let from = Place::of(from).ok_or_else(|| StoreError::Corrupt {
        what: "a record in memory".to_owned(),
    })?;
    let mut source = from.source(false)?;
    source.freeze()?;
    let of = identity(&mut source)?;
    let tables = tables();
    let total_rows = counts(&mut source, &tables)?.iter().sum();
    let mut target = Place::File(file.to_owned()).target()?;
    let marker = Marker::new(Kind::Backup, from.side("source").to_string(), of);
    marker
        .write(&mut *target.engine)
        .map_err(|error| target.not_written(error))?;
    let read = fill(&mut source, &mut target, &tables, marker, total_rows, hears)?;
    // The moment is held no longer than it takes to read it.
    drop(source);
    let mut rows = 0;
    let written = sums(&mut target, &tables, &mut |more| {
        rows += more;
        hears(CopyProgress {
            step: CopyStep::Verifying,
            rows,
            total: total_rows,
        });
    })?;
    hold_to(file, &read, &written)?;
    let described = |(table, sum): (Table, TableSum)| Described {
        table,
        rows: sum.rows,
        digest: sum.digest.to_hex(),
    };
    let description = BackupDescription {
        format: FORMAT,
        program: program.to_owned(),
        made_at: now,
        engine: from.engine_name().to_owned(),
        schema_version: KNOWN,
        tables: tables.into_iter().zip(written).map(described).collect(),
    };
    put(&mut target, &description)?;
    Ok(description)
}

/// Checks that a backup holds what it held when it was made, on pages that are whole, and returns what it says
/// about itself.
///
/// # Errors
/// When it is no backup, is of a newer version, or is damaged.
pub fn verify_backup(file: &Path, hears: Hears<'_>) -> Result<BackupDescription, CopyError> {
    let (mut opened, description) = open(file)?;
    let (mut rows, total_rows) = (0, description.rows());
    for it in &description.tables {
        let damaged = || CopyError::Damaged {
            path: file.to_owned(),
            table: it.table.name.clone(),
        };
        let found = super::scan::sum(&mut opened, &it.table, &mut |more| {
            rows += more;
            hears(CopyProgress {
                step: CopyStep::Verifying,
                rows,
                total: total_rows,
            });
        })
        // Whatever SQLite says of a page that is none any more: it is not what was written.
        .map_err(|_| damaged())?;
        if (found.rows, found.digest.to_hex()) != (it.rows, it.digest.clone()) {
            return Err(damaged());
        }
    }
    let rows = |table: &str| {
        let mut tables = description.tables.iter();
        let found = tables.find(|it| it.table.name == table);
        found.map_or(0, |it| it.rows)
    };
    check(&mut opened, file, &rows, hears)?;
    Ok(description)
}

fn hold_to(file: &Path, read: &[TableSum], written: &[TableSum]) -> Result<(), CopyError> {
    let other = read
        .iter()
        .zip(written)
        .find(|(read, written)| read != written);
    match other {
        Some((read, _)) => Err(CopyError::Damaged {
            path: file.to_owned(),
            table: read.table.clone(),
        }),
        None => Ok(()),
    }
}

fn put(target: &mut Opened, description: &BackupDescription) -> Result<(), CopyError> {
    let text = serde_json::to_string(description).map_err(|_| StoreError::Corrupt {
        what: "a description".to_owned(),
    })?;
    let engine = &mut *target.engine;
    let sql = "INSERT INTO backup (description) VALUES ($1)";
    engine
        .migrate("CREATE TABLE backup (description TEXT NOT NULL)")
        .and_then(|()| engine.execute(sql, values![&text]))
        .map_err(|error| target.not_written(error))?;
    Ok(())
}

fn open(file: &Path) -> Result<(Opened, BackupDescription), CopyError> {
    let no_backup = || CopyError::NoBackup {
        path: file.to_owned(),
    };
    std::fs::File::open(file).map_err(|source| CopyError::File {
        path: file.to_owned(),
        source,
    })?;
    let mut opened = Place::File(file.to_owned()).bare_source()?;
    let mut text = None;
    let sql = "SELECT description FROM backup";
    let read = opened.engine.query(sql, &[], &mut |row| {
        if let Some(Value::Text(found)) = row.value(0) {
            text = Some(found.to_owned());
        }
        Ok(())
    });
    read.map_err(|_| no_backup())?;
    let text = text.ok_or_else(no_backup)?;
    /// What is read first, so that a newer format is called one.
    #[derive(Deserialize)]
    struct Outline {
        format: u32,
        program: String,
        schema_version: i64,
    }
    let outline: Outline = serde_json::from_str(&text).map_err(|_| no_backup())?;
    if outline.format > FORMAT || outline.schema_version > KNOWN {
        return Err(CopyError::NewerBackup {
            path: file.to_owned(),
            program: outline.program,
        });
    }
    let description: BackupDescription = serde_json::from_str(&text).map_err(|_| no_backup())?;
    if !description.tables.iter().all(|it| it.table.is_plain()) {
        return Err(no_backup());
    }
    Ok((opened, description))
}
