//! Many rows in few statements.

use std::array;

use crate::StoreError;

/// Rows a statement: a few sizes, so that each is prepared once.
const SIZES: [usize; 3] = [256, 16, 1];

/// Hands out all of `rows` in pieces of a few lengths, each with the statement for so many.
pub(super) fn in_pieces<T>(
    rows: &[T],
    statement: impl Fn(usize) -> String,
    mut each: impl FnMut(&str, &[T]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut rest = rows;
    for size in SIZES {
        if rest.len() < size {
            continue;
        }
        let sql = statement(size);
        while let Some((piece, later)) = rest.split_at_checked(size) {
            each(&sql, piece)?;
            rest = later;
        }
    }
    Ok(())
}

/// What a statement says of so many rows, with commas between. Each has `N` values of its own, whose
/// numbers `row` is given; before them come `shared` ones that are the same for all.
pub(super) fn listed<const N: usize>(
    rows: usize,
    shared: usize,
    row: impl Fn([usize; N]) -> String,
) -> String {
    let rows = (0..rows).map(|at| row(array::from_fn(|value| shared + 1 + at * N + value)));
    rows.collect::<Vec<_>>().join(", ")
}
