//! What an unfinished copy says about itself, in the settings of the target: no server starts on it, and
//! whoever goes on with it knows where.

use enlist_core::Digest;
use serde::{Deserialize, Serialize};

use super::row::Owned;
use crate::engine::Engine;
use crate::value::{Value, values};
use crate::{OpenError, StoreError};

/// The setting that it stands under. It is never copied, and counts for no digest.
pub(super) const NAME: &str = "unfinished-copy";

/// What an unfinished copy says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// What it is to become.
    pub(super) kind: Kind,
    /// In words, where it comes from.
    pub(super) from: String,
    /// Which record it is a copy of: the digest of what is its own alone.
    pub(super) of: String,
    /// How many tables are complete.
    pub(super) tables: usize,
    /// The key of the last row of the next one that is there.
    pub(super) after: Option<Vec<Owned>>,
    /// How many rows are there in all.
    pub(super) rows: u64,
}

/// What an unfinished copy is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Migration,
    Restore,
    /// It stays as it is: nothing is served from a backup.
    Backup,
}

impl Marker {
    pub(super) fn new(kind: Kind, from: String, of: Digest) -> Self {
        Self {
            kind,
            from,
            of: of.to_hex(),
            tables: 0,
            after: None,
            rows: 0,
        }
    }

    /// The marker of a target, where there is one.
    pub(super) fn read(engine: &mut dyn Engine) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = setting(engine, NAME)? else {
            return Ok(None);
        };
        let marker = serde_json::from_slice(&bytes).map_err(|_| StoreError::Corrupt {
            what: "a note on an unfinished copy".to_owned(),
        })?;
        Ok(Some(marker))
    }

    /// Puts it down.
    pub(super) fn write(&self, engine: &mut dyn Engine) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(self).map_err(|_| StoreError::Corrupt {
            what: "a key".to_owned(),
        })?;
        engine.execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![NAME, &bytes],
        )?;
        Ok(())
    }

    /// Takes it away: the copy is complete.
    pub(super) fn remove(engine: &mut dyn Engine) -> Result<(), StoreError> {
        engine.execute("DELETE FROM settings WHERE name = $1", values![NAME])?;
        Ok(())
    }
}

/// What is kept under `name`.
pub(super) fn setting(engine: &mut dyn Engine, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut found = None;
    engine.query(
        "SELECT value FROM settings WHERE name = $1",
        values![name],
        &mut |row| {
            if let Some(Value::Bytes(bytes)) = row.value(0) {
                found = Some(bytes.to_owned());
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// Refuses a record that is the unfinished copy of another one, or a backup.
pub(crate) fn refuse_unfinished(engine: &mut dyn Engine) -> Result<(), OpenError> {
    Err(match Marker::read(engine)? {
        None => return Ok(()),
        Some(marker) => OpenError::Unfinished {
            what: match marker.kind {
                Kind::Migration => {
                    "an unfinished copy, which no server can start on: run the same `enlist migrate` again, which goes on where it stopped; if that says that both sides are not the same, run it with --anew, which copies from the beginning"
                }
                Kind::Restore => {
                    "an unfinished restore, which no server can start on: run the same `enlist restore` again, which goes on where it stopped; if that says that both sides are not the same, run it with --anew, which copies from the beginning"
                }
                Kind::Backup => {
                    "a backup, which no server can start on: put it back with `enlist restore --from FILE`"
                }
            },
        },
    })
}
