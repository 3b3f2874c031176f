//! What the agent is waiting out, kept for whoever asks it how it is.

use std::time::Duration;

use enlist_core::Timestamp;

use super::{Agent, Progress};
use crate::disk::{Disk, KeptTrouble};
use crate::machine::{Note, Verdict};
use crate::net::Net;

/// What may pass by itself is worth keeping when it has gone on for so long.
const LASTING: Duration = Duration::from_secs(600);

impl<D: Disk, N: Net> Agent<D, N> {
    /// Notes what is to be kept. What may pass by itself is kept once, when it has lasted, or when it is a
    /// refusal that keeps a new device out: a network that comes and goes would wear out the medium.
    pub(super) fn note_trouble(&mut self, note: Option<&Note>, now: Timestamp) {
        let trouble = match (note, self.machine.trouble()) {
            (_, None) => {
                self.failing_since = None;
                None
            }
            (Some(Note::Trouble { failure, until, .. }), _) => {
                let since = *self.failing_since.get_or_insert(now);
                let stays = matches!(failure.verdict, Verdict::GiveUp | Verdict::Gone);
                // A device that is new has nothing else to tell of itself than why it is kept out.
                let keeps_out = failure.slug.is_some() && self.machine.identity().is_none();
                if keeps_out && !stays && failure.slug == self.kept_slug() {
                    return;
                }
                // A clock that was set back says nothing of how long.
                let lasts = since <= now && now.since(since) >= LASTING;
                if !stays && !keeps_out && (!lasts || self.trouble.is_some()) {
                    return;
                }
                Some(KeptTrouble {
                    slug: failure.slug.clone(),
                    message: failure.message.clone(),
                    at: if stays { now } else { since },
                    next: *until,
                })
            }
            _ => return,
        };
        let same = match (&trouble, &self.trouble) {
            (None, None) => true,
            (Some(new), Some(old)) => new.slug == old.slug && new.message == old.message,
            _ => false,
        };
        if !same {
            self.trouble = trouble;
            self.trouble_due = true;
        }
    }

    fn kept_slug(&self) -> Option<String> {
        self.trouble.as_ref()?.slug.clone()
    }

    /// Whether a refusal is still to be kept, or leaves something else to do at once.
    pub fn goes_on(&self) -> bool {
        self.trouble_due || self.machine.goes_on(self.world.clock.now())
    }

    /// Keeps it, where it has changed. On a full disk it stays as it was.
    pub(super) fn trouble_step(&mut self) -> Option<Progress> {
        if !std::mem::take(&mut self.trouble_due) {
            return None;
        }
        let kept = self.vault.save_trouble(self.trouble.as_ref());
        kept.is_ok().then_some(Progress::Went(None))
    }
}
