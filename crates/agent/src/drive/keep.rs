//! Steps that take no more than the disk.

use super::Agent;
use crate::disk::Disk;
use crate::machine::{Failure, Outcome, State, Step};
use crate::net::Net;

impl<D: Disk, N: Net> Agent<D, N> {
    pub(super) fn keep(&mut self, step: Step) -> Result<Outcome, Failure> {
        Ok(match step {
            Step::MakeKey(slot) => {
                self.vault.make_key(slot)?;
                Outcome::KeyMade(slot)
            }
            Step::KeepKey { from, to } => {
                self.vault.keep_key(from, to)?;
                Outcome::KeyKept(to)
            }
            Step::Adopt(slot) => {
                let gone = || Failure::give_up("the pre-enrolled identity is gone");
                let quadruple = self.quadruple.as_ref().ok_or_else(gone)?;
                self.vault.adopt(slot, quadruple)?;
                Outcome::Adopted(slot)
            }
            Step::Save(state) => {
                self.save(&state)?;
                Outcome::Saved
            }
            Step::Install(slot, granted) => {
                self.vault.install(slot, &granted)?;
                Outcome::Installed
            }
            Step::Activate(slot) => {
                self.vault.activate(slot)?;
                self.owe_export(slot);
                Outcome::Activated(slot)
            }
            Step::RunHooks(slot) => {
                if let Some(identity) = self.machine.identity() {
                    (self.world.hooks)(identity);
                }
                Outcome::HooksRun(slot)
            }
            Step::Tidy(keep) => {
                self.vault.tidy(&keep)?;
                Outcome::Tidied
            }
            Step::Refuse(failure) => return Err(failure),
            Step::Send(_) | Step::Attest(..) | Step::CarryOut(_) | Step::Wait(_) => {
                return Err(Failure::give_up("this step takes more than a disk"));
            }
        })
    }

    /// Saves the state. With the first one of an identity, the hardware that it belongs to is on record.
    fn save(&mut self, state: &State) -> Result<(), Failure> {
        let is_first = state.identity().is_some() && self.machine.identity().is_none();
        if is_first {
            self.vault.save_hardware_record(&self.hardware)?;
        }
        Ok(self.vault.save(state)?)
    }
}
