//! Agents that are put aside while they wait.

use super::Agent;
use crate::disk::Disk;
use crate::machine::Rest;
use crate::net::Net;

impl<D: Disk, N: Net> Agent<D, N> {
    /// What to keep of this agent beside its disk while it waits, so that it need not be in memory until
    /// then; `None` while anything is under way.
    #[must_use]
    pub fn rest(&self) -> Option<Rest> {
        let is_idle = self.notes.is_empty()
            && self.roots.is_empty()
            && self.export_owed.is_none()
            && !self.wiping
            && !self.trouble_due
            && !self.keeper.is_busy();
        let now = self.world.clock.now();
        self.machine.rest(now).filter(|_| is_idle)
    }

    /// Takes up what [`Agent::rest`] gave, over the same disk.
    pub fn take_up(&mut self, rest: Rest) {
        self.machine.take_up(rest);
    }

    /// The disk, from an agent that ends here.
    #[must_use]
    pub fn into_disk(self) -> D {
        self.vault.into_disk()
    }

    /// The network.
    pub fn net_mut(&mut self) -> &mut N {
        &mut self.net
    }
}
