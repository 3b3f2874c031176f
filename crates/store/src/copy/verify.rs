//! Reading two records at once, and holding one to the other.

use super::place::{Opened, Place};
use super::row::TableSum;
use super::scan::sum;
use super::table::Table;
use super::{CopyError, CopyProgress, CopyStep, Hears};
use crate::StoreError;

/// Reads both sides, each at one moment, and says what their tables come to. The lock of neither is asked
/// for: whoever calls holds it.
///
/// # Errors
/// When a table is not the same, and when a side can't be read.
pub(super) fn compare(
    source: &Place,
    target: &mut Opened,
    tables: &[Table],
    total: u64,
    hears: Hears<'_>,
) -> Result<Vec<TableSum>, CopyError> {
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| {
            let mut source = source.source(false)?;
            source.freeze()?;
            sums(&mut source, tables, &mut |_| ())
        });
        let mut rows = 0;
        let ours = target.freeze().map_err(CopyError::from).and_then(|()| {
            sums(target, tables, &mut |more| {
                rows += more;
                hears(CopyProgress {
                    step: CopyStep::Verifying,
                    rows,
                    total,
                });
            })
        });
        let thawed = target.thaw();
        let theirs = theirs
            .join()
            .unwrap_or(Err(CopyError::Store(StoreError::Closed)));
        (theirs, ours.and_then(|ours| Ok(thawed.map(|()| ours)?)))
    });
    let (theirs, ours) = (theirs?, ours?);
    match theirs
        .iter()
        .zip(&ours)
        .find(|(theirs, ours)| theirs != ours)
    {
        Some((theirs, _)) => Err(CopyError::Differs {
            table: theirs.table.clone(),
        }),
        None => Ok(ours),
    }
}

/// What the tables of one side come to.
pub(super) fn sums(
    side: &mut Opened,
    tables: &[Table],
    each: &mut dyn FnMut(u64),
) -> Result<Vec<TableSum>, CopyError> {
    tables
        .iter()
        .map(|table| sum(side, table, &mut *each))
        .collect()
}
