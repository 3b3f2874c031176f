//! What the world is told of certificates: revocation lists and OCSP answers.
//!
//! What is revoked or on hold stands in memory. Whoever asks for a list or an answer first makes sure that
//! this is no older than a moment ([`follow`]), so that several servers on one database need not talk to
//! each other, and nobody is told anything when the record can't be read.

mod answers;
mod certificate;
mod crl;
mod crls;
mod follow;
mod generations;
mod issuers;
mod looks;
mod nudges;
mod ocsp;
mod pointers;
mod responder;
mod state;

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use answers::Answers;
use crls::Crls;
use follow::{Following, Looked};
use issuers::Issuers;
use nudges::Nudges;
use pointers::Partitions;
use responder::Responders;
use state::State;
use tokio::sync::Semaphore;

pub use crl::CrlServed;
pub use ocsp::OcspServed;

/// Where and how the world learns of revocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusConfig {
    /// The `http://…` URL that certificates point to; without one they point nowhere.
    pub url: Option<String>,
    /// How long after it was made a list may be relied on. A newer one is to be had long before.
    pub crl_lifetime: Duration,
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self {
            url: None,
            crl_lifetime: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// What one server knows of revocations.
pub(crate) struct Revocation {
    config: StatusConfig,
    state: RwLock<State>,
    /// Held by the one who looks; the others wait for what that finds.
    following: tokio::sync::Mutex<Following>,
    /// Held by the one who looks at all there is.
    sweeping: tokio::sync::Mutex<()>,
    looked: Mutex<Option<Looked>>,
    /// What this server itself has changed.
    nudges: Nudges,
    issuers: Issuers,
    partitions: Partitions,
    crls: Crls,
    answers: Answers,
    responders: Responders,
    /// Held while OCSP looks into the record: strangers get no more of the store than that.
    lookups: Semaphore,
}

impl Revocation {
    pub(crate) fn new(config: StatusConfig) -> Self {
        Self {
            config,
            state: RwLock::default(),
            following: tokio::sync::Mutex::default(),
            sweeping: tokio::sync::Mutex::default(),
            looked: Mutex::default(),
            nudges: Nudges::default(),
            issuers: Issuers::default(),
            partitions: Partitions::default(),
            crls: Crls::default(),
            answers: Answers::default(),
            responders: Responders::default(),
            lookups: Semaphore::new(ocsp::LOOKUPS),
        }
    }

    /// The roots have changed: they are looked up anew, and no key of one that went is kept.
    pub(crate) fn forget_roots(&self) {
        self.issuers.forget_roots();
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
