//! A device that its hardware has vouched for.

use enlist_core::{Digest, HardwareIdentity, Timestamp};
use enlist_pki::Csr;

use crate::{Proof, Verified};

/// What hardware has proved of the device that made a CSR. The modules beside this one make it, each out
/// of its own kind of evidence.
#[derive(Debug, Clone)]
pub struct Attested {
    identity: HardwareIdentity,
    once: Option<Once>,
    verified: Verified,
}

/// The challenge that was answered: it lets nobody in a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of the challenge.
    pub digest: Digest,
    /// From when on nobody could answer it anyway.
    pub expires_at: Timestamp,
}

impl Attested {
    pub(crate) fn new(identity: HardwareIdentity, once: Option<Once>, csr: &Csr) -> Self {
        Self {
            identity,
            once,
            verified: Verified::new(csr, Proof::Hardware),
        }
    }

    /// What the hardware is.
    pub fn identity(&self) -> &HardwareIdentity {
        &self.identity
    }

    /// The challenge that was answered, where there was one.
    pub fn once(&self) -> Option<Once> {
        self.once
    }

    /// What issuing takes: for the key of the CSR that the proof was bound to.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }
}
