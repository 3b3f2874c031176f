//! The hardware that the device enrolled on, and the hardware that it is on.

use std::path::Path;

use enlist_core::HardwareIdentity;
use enlist_wire::Hardware;

use super::claim::on_the_wire;
use super::{Agent, OpenError};
use crate::config::Configuration;
use crate::disk::{Disk, Vault, VaultError};
use crate::explain;
use crate::hardware::{self, Changed, Record};
use crate::machine::Note;
use crate::net::Net;

/// What there is to say of the hardware now, without making anything up.
pub(super) fn present<D: Disk>(
    configuration: &Configuration,
    root: &Path,
    vault: &Vault<D>,
) -> Option<HardwareIdentity> {
    // Who is enrolled must not fail over what it could claim.
    let found = hardware::identity(root, configuration.hardware.as_ref());
    let found = found.ok().flatten();
    found
        .map(|found| on_record(vault, found))
        .or_else(|| vault.hardware_id().ok().flatten())
}

/// What was found, as it was taken when the device enrolled.
pub(crate) fn on_record<D: Disk>(vault: &Vault<D>, found: HardwareIdentity) -> HardwareIdentity {
    match vault.hardware_record() {
        Ok(Some(Ok(record))) => record.as_before(found),
        _ => found,
    }
}

/// What became of the comparison at the start.
#[derive(Default)]
pub(super) struct Compared {
    /// The hardware, where it is another one.
    pub(super) changed: Option<Changed>,
    /// What is to be told.
    pub(super) note: Option<Note>,
}

/// Compares the hardware with that on record. A device that enrolled with an earlier agent has none: it
/// takes the hardware that it is on now for its own.
pub(super) fn compare<D: Disk>(
    vault: &mut Vault<D>,
    now: &Record,
    root: &Path,
) -> Result<Compared, OpenError> {
    Ok(match vault.hardware_record()? {
        None => {
            vault.save_hardware_record(now)?;
            Compared::default()
        }
        Some(Ok(was)) => {
            let changed = was.changed(root, now.hardware.as_ref());
            let note = changed.as_ref().map(|changed| Note::OtherHardware {
                was: changed.was.to_string(),
                is: changed.is.to_string(),
            });
            Compared { changed, note }
        }
        Some(Err(unknown)) => Compared {
            changed: None,
            note: Some(Note::NotTaken {
                what: "the record of the hardware",
                why: explain(&unknown),
            }),
        },
    })
}

/// As it goes over the wire.
pub(super) fn reported(changed: Option<&Changed>) -> Option<Hardware> {
    changed.map(|changed| on_the_wire(&changed.is))
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// Takes the hardware that the device is on for its own.
    pub(super) fn accept_hardware(&mut self) -> Result<(), VaultError> {
        self.vault.save_hardware_record(&self.hardware)
    }
}
