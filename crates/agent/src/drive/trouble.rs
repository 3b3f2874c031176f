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
    /// Notes what is to be kept. What may pass by itself is kept once, when it has lasted: a network that
    /// comes and goes would wear out the medium.
    pub(super) fn note_trouble(&mut self, note: Option<&Note>, now: Timestamp) {
        let trouble = match (note, self.machine.trouble()) {
            (_, None) => {
                self.failing_since = None;
                None
            }
            (Some(Note::Trouble { failure, until, .. }), _) => {
                let since = *self.failing_since.get_or_insert(now);
                let stays = matches!(failure.verdict, Verdict::GiveUp | Verdict::Gone);
                // A clock that was set back says nothing of how long.
                let lasts = since <= now && now.since(since) >= LASTING;
                if !stays && (!lasts || self.trouble.is_some()) {
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

    /// Keeps it, where it has changed. On a full disk it stays as it was.
    pub(super) fn trouble_step(&mut self) -> Option<Progress> {
        if !std::mem::take(&mut self.trouble_due) {
            return None;
        }
        let kept = self.vault.save_trouble(self.trouble.as_ref());
        kept.is_ok().then_some(Progress::Went(None))
    }
}
