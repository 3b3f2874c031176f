//! Going back to a backup, and what that breaks.

mod adopt;

use std::path::Path;
use std::sync::Arc;

use enlist_core::{Actor, Clock, Event, Rng, Timestamp};
use enlist_store::{
    BackupDescription, Copied, CopyError, Hears, Location, StoreError, Tx, restore as put_back,
};
use serde::{Deserialize, Serialize};

/// The setting that says that the record was once put back to an earlier time.
const RESTORED: &str = "restored";

/// What it takes to go back to a backup.
pub struct Restore<'a> {
    /// The backup.
    pub file: &'a Path,
    /// Where the record is to be: empty, or what an earlier run has left unfinished.
    pub to: &'a Location,
    /// A directory of the server's own, for what has to lie on the disk meanwhile.
    pub data_dir: &'a Path,
    /// Whether an unfinished restore of something else is discarded.
    pub anew: bool,
    /// Where the time comes from.
    pub clock: &'a dyn Clock,
    /// Where randomness comes from.
    pub rng: Arc<dyn Rng>,
}

/// When the record was put back, and to what time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Restored {
    made_at: Timestamp,
    restored_at: Timestamp,
}

impl Restored {
    fn read(tx: &mut Tx<'_>) -> Result<Option<Self>, StoreError> {
        let setting = tx.setting(RESTORED)?;
        Ok(setting.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}

/// Puts a backup back, into an empty place. Each tenant's record of events says so, and devices that have
/// renewed since the backup was made are known again by the certificates that they have. Blocks; not to be
/// called within an async runtime.
///
/// # Errors
/// When the backup is none or is damaged, or the place is in use or not empty.
pub fn restore(restore: &Restore<'_>, hears: Hears<'_>) -> Result<Copied, CopyError> {
    let finish =
        &mut |tx: &mut Tx<'_>, backup: &BackupDescription| note(tx, backup, restore.clock.now());
    put_back(
        restore.file,
        restore.to,
        restore.data_dir,
        restore.anew,
        &restore.rng,
        finish,
        hears,
    )
}

fn note(tx: &mut Tx<'_>, backup: &BackupDescription, now: Timestamp) -> Result<(), StoreError> {
    for tenant in tx.tenants()? {
        let event = Event::new("record-restored", tenant.subject(), Actor::Server, now)
            .with("backup", backup.digest().to_hex())
            .with("made_s_ago", now.since(backup.made_at).as_secs())
            .with("made_by", &backup.program);
        tx.append(&event)?;
    }
    let restored = Restored {
        made_at: backup.made_at,
        restored_at: now,
    };
    let json = serde_json::to_vec(&restored).expect("two numbers can be written as JSON");
    tx.put_setting(RESTORED, &json)
}
