//! Certificate and key for other programs, as soon as there are new ones.

use std::time::Duration;

use enlist_core::Timestamp;

use super::{Agent, Progress};
use crate::disk::Disk;
use crate::explain;
use crate::machine::Note;
use crate::net::Net;

/// How soon it is tried again after it has failed.
const AGAIN: Duration = Duration::from_secs(60);

/// The slot that other programs are to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed {
    slot: u64,
    /// Not before.
    at: Timestamp,
    /// It has failed before, which was told.
    again: bool,
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// Other programs are to have this slot. That comes before the hooks; and nothing else waits for it:
    /// a full disk where others read must not keep the device from renewing.
    pub(super) fn owe_export(&mut self, slot: u64) {
        if self.world.export.is_some() {
            self.export_owed = Some(Owed {
                slot,
                at: self.world.clock.now(),
                again: false,
            });
        }
    }

    pub(super) fn export_step(&mut self) -> Option<Progress> {
        let owed = self.export_owed?;
        let now = self.world.clock.now();
        // A clock that was set back must not put it off for years.
        if now < owed.at && owed.at.since(now) <= AGAIN {
            return None;
        }
        match self.export(owed.slot) {
            Ok(()) => {
                self.export_owed = None;
                // The hooks have found the pair before.
                if owed.again
                    && let Some(identity) = self.machine.identity().filter(|own| !own.announce)
                {
                    (self.world.hooks)(identity);
                }
                Some(Progress::Went(None))
            }
            Err(why) => {
                self.export_owed = Some(Owed {
                    at: now + AGAIN,
                    again: true,
                    ..owed
                });
                let note = (!owed.again).then(|| Box::new(Note::NotExported { why }));
                Some(Progress::Went(note))
            }
        }
    }

    fn export(&self, slot: u64) -> Result<(), String> {
        let Some(export) = &self.world.export else {
            return Ok(());
        };
        let chain = self.vault.chain(slot).map_err(|why| explain(&why))?;
        let leaf = chain.first().ok_or("there is no certificate")?;
        let pair = self.vault.pair(slot).map_err(|why| explain(&why))?;
        let name = leaf.serial_hex();
        let place = export.directory().display();
        export
            .put(&name, &pair)
            .map_err(|why| format!("{place}: {}", explain(&why)))
    }
}
