//! What the installation as a whole keeps under a name.

use crate::column::only;
use crate::value::values;
use crate::{StoreError, Tx};

impl Tx<'_> {
    /// The value kept under `name`.
    pub fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.query_one(
            "settings",
            "SELECT value FROM settings WHERE name = $1",
            values![name],
            only,
        )
    }

    /// Keeps `value` under `name`, in place of what was there.
    pub fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![name, value],
        )?;
        Ok(())
    }

    /// Forgets what is kept under `name`. False where nothing was.
    pub fn delete_setting(&mut self, name: &str) -> Result<bool, StoreError> {
        let gone = self.execute("DELETE FROM settings WHERE name = $1", values![name])?;
        Ok(gone > 0)
    }
}
