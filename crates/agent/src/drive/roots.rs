//! New roots, as servers offer them.

use super::{Agent, Progress};
use crate::disk::Disk;
use crate::explain;
use crate::machine::Note;
use crate::net::Net;

impl<D: Disk, N: Net> Agent<D, N> {
    /// Looks at one root that was offered: keeps it where it is to be believed, and only then believes it.
    pub(super) fn root_step(&mut self) -> Option<Progress> {
        let offer = self.roots.pop()?;
        let own = self.machine.identity()?;
        let now = self.world.clock.now();
        let note = match self.trusted.judge(&offer, self.approval(own), now) {
            Ok(None) => None,
            Ok(Some(root)) => match self.vault.save_anchors(&self.trusted.kept_with(&root)) {
                Ok(()) => {
                    let fingerprint = root.fingerprint_hex();
                    self.trusted.add(root);
                    self.net.believe(self.trusted.server());
                    // The server learns at once who is ready.
                    self.machine.poll_now();
                    Some(Note::RootTaken(fingerprint))
                }
                Err(error) => Some(not_taken(explain(&error))),
            },
            Err(refused) => {
                let is_new = self.last_root_refused.as_ref() != Some(&offer);
                let why = explain(&refused);
                self.last_root_refused = Some(offer);
                is_new.then(|| not_taken(why))
            }
        };
        Some(Progress::Went(note.map(Box::new)))
    }
}

fn not_taken(why: String) -> Note {
    Note::NotTaken {
        what: "a new root",
        why,
    }
}
