//! From one engine to the other, or to another database of the same.

use enlist_core::Digest;

use super::fill::Filling;
use super::marker::{Kind, Marker, setting};
use super::place::{Opened, Place};
use super::row::{Sum, TableSum};
use super::scan::{counts, scan};
use super::table::{Table, tables};
use super::verify::compare;
use super::{Copied, CopyError, CopyProgress, CopyStep, Hears};
use crate::engine::Step;
use crate::{Location, StoreError};

/// The setting that each installation has, and no other one has the same.
const INSTALLATION: &str = "installation";

/// Copies the record at `from` to `to`, which is empty, and shows that both are the same. What was broken
/// off goes on where it stopped; `anew` discards an unfinished copy first. Until it is complete, no server
/// starts on the target.
///
/// # Errors
/// When servers are at work on either, the source is of another schema, the target is not empty, or the
/// source changes meanwhile.
pub fn migrate(
    from: &Location,
    to: &Location,
    anew: bool,
    hears: Hears<'_>,
) -> Result<Copied, CopyError> {
    let memory = || {
        CopyError::Store(StoreError::Corrupt {
            what: "a record in memory".to_owned(),
        })
    };
    let from = Place::of(from).ok_or_else(memory)?;
    let to = Place::of(to).ok_or_else(memory)?;
    if from.is(&to) {
        let what = from.what();
        return Err(CopyError::SamePlace { what });
    }
    let mut source = from.source(true)?;
    let of = identity(&mut source)?;
    let marker = Marker::new(Kind::Migration, from.side("source").to_string(), of);
    let mut target = to.target()?;
    let marker = begin(&mut target, marker, anew)?;
    let copied = copy(&from, &mut source, &mut target, marker, hears)?;
    target.engine.step(Step::Begin)?;
    Marker::remove(&mut *target.engine)?;
    target.engine.step(Step::Commit)?;
    Ok(copied)
}

/// What a record is known by: nothing of it, where it was never set up.
pub(super) fn identity(source: &mut Opened) -> Result<Digest, CopyError> {
    match setting(&mut *source.engine, INSTALLATION)? {
        Some(sealed) => Ok(Digest::of(&sealed)),
        None => Err(CopyError::NotSetUp {
            side: source.side.clone(),
        }),
    }
}

/// Makes sure that the target is empty, or holds an unfinished copy of the same. Returns the marker that
/// stands there from now on.
pub(super) fn begin(target: &mut Opened, new: Marker, anew: bool) -> Result<Marker, CopyError> {
    let side = target.side.clone();
    match Marker::read(&mut *target.engine)? {
        Some(found) if !anew && (found.kind, &found.of) == (new.kind, &new.of) => Ok(found),
        Some(found) if !anew => Err(CopyError::AnotherCopy {
            side,
            from: found.from,
        }),
        Some(_) => {
            target.engine.step(Step::Begin)?;
            empty(target)?;
            new.write(&mut *target.engine)?;
            target.engine.step(Step::Commit)?;
            Ok(new)
        }
        None => {
            for table in tables() {
                let sql = format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS found",
                    table.name
                );
                if target.count(&sql)? > 0 {
                    return Err(CopyError::NotEmpty { side });
                }
            }
            new.write(&mut *target.engine)
                .map_err(|error| target.not_written(error))?;
            Ok(new)
        }
    }
}

fn empty(target: &mut Opened) -> Result<(), StoreError> {
    let names: Vec<_> = tables().into_iter().map(|table| table.name).collect();
    if target.postgres {
        return target
            .engine
            .migrate(&format!("TRUNCATE {}", names.join(", ")));
    }
    for name in names.iter().rev() {
        target.engine.execute(&format!("DELETE FROM {name}"), &[])?;
    }
    Ok(())
}

/// Copies what the marker says is missing, and holds the target to the source.
pub(super) fn copy(
    from: &Place,
    source: &mut Opened,
    target: &mut Opened,
    marker: Marker,
    hears: Hears<'_>,
) -> Result<Copied, CopyError> {
    let tables = tables();
    source.freeze()?;
    let total = counts(source, &tables)?.iter().sum();
    let resumed_at = marker.rows;
    fill(source, target, &tables, marker, total, hears)?;
    source.thaw()?;
    let tables = compare(from, target, &tables, total, hears)?;
    Ok(Copied { tables, resumed_at })
}

/// Copies the rows behind the place that the marker names, and says what they came to: of each table in
/// which it began.
pub(super) fn fill(
    source: &mut Opened,
    target: &mut Opened,
    tables: &[Table],
    marker: Marker,
    total: u64,
    hears: Hears<'_>,
) -> Result<Vec<TableSum>, CopyError> {
    let (done, mut after, mut rows) = (marker.tables, marker.after.clone(), marker.rows);
    let mut filling = Filling::new(target, marker);
    let mut tell = |more: u64| {
        rows += more;
        hears(CopyProgress {
            step: CopyStep::Copying,
            rows,
            total,
        });
    };
    tell(0);
    let mut sums = Vec::new();
    for table in tables.iter().skip(done) {
        let after = after.take();
        let mut sum = Sum::new();
        scan(source, table, after.as_deref(), &mut |row| {
            sum.add(table, row)?;
            match filling.push(table, row)? {
                0 => {}
                written => tell(written),
            }
            Ok(())
        })?;
        tell(filling.end(table)?);
        sums.push(sum.done(table));
    }
    Ok(sums)
}
