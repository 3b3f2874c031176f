//! Whether the database does what it is for.

use crate::column::only;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// Fails where the database takes no writes, as a standby does. Changes nothing.
    pub fn prove_writable(&mut self) -> Result<(), StoreError> {
        // No version is below zero: the statement is refused where it may not write, and finds no row
        // where it may.
        let sql = "UPDATE schema_version SET version = $1 WHERE version = $2";
        self.execute(sql, values![-1, -1]).map(|_| ())
    }

    /// Fails where the database does not answer.
    pub fn prove_readable(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT version FROM schema_version ORDER BY version DESC LIMIT 1";
        self.query("schema_version", sql, &[], only::<i64>)
            .map(|_| ())
    }
}
