//! Who is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use enlist_keys::FileKey;

use super::errands::{Errand, Outcome};
use crate::process;

/// A server that certifies, and how one asks it to.
pub(super) trait Candidate {
    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// Its process.
    fn pid(&self) -> u32;

    /// Errands of devices that nobody has seen before.
    fn newcomers(&mut self, count: usize) -> Result<Vec<Errand>>;

    /// Errands of devices that renew, each once.
    fn renewals(&mut self, certified: &[Certified]) -> Result<Vec<Errand>>;

    /// CPU time it has used.
    fn cpu(&self) -> Result<Duration> {
        process::cpu(self.pid())
    }

    /// Its memory.
    fn resident(&self) -> Result<process::Resident> {
        process::resident(self.pid()).context("the server has ended")
    }
}

/// A device that was certified.
pub(super) struct Certified {
    pub(super) key: Arc<FileKey>,
    /// What the server answered.
    pub(super) reply: Vec<u8>,
    pub(super) renewals: u64,
}

impl Certified {
    /// Those whose errands came to this.
    pub(super) fn of(errands: Vec<Errand>, outcome: Outcome) -> Vec<Self> {
        let both = errands.into_iter().zip(outcome.replies);
        both.map(|(errand, reply)| Self {
            key: errand.key,
            reply,
            renewals: errand.renewals,
        })
        .collect()
    }
}
