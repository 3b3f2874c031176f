//! Carries out what the machine says, with a disk and a network.

mod asking_time;
mod attest;
mod check;
mod claim;
mod exchange;
mod exporting;
mod hardware;
mod keep;
mod looking;
mod open;
mod orders;
mod poll;
mod rest;
mod rooms;
mod roots;
mod trouble;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use enlist_core::{Clock, Rng, Timestamp};
use enlist_pki::path::ServerTrust;
use enlist_wire::{RootOffer, SecretText};

use asking_time::AskingTime;
pub(crate) use attest::credentials;
pub use check::BadReply;
pub(crate) use claim::name;
pub(crate) use hardware::on_record;
pub(crate) use looking::renewal_due;
pub use open::OpenError;
use orders::Signers;
use rooms::Room;

use crate::config::{Attestation, Quadruple};
use crate::configuration::{Check, Checked, Keeper};
use crate::disk::{Credentials, Disk, KeptTrouble, Vault, VaultError};
use crate::explain;
use crate::export::Export;
use crate::hardware::Record;
use crate::machine::{Failure, Identity, Machine, Note, Outcome, State, Step};
use crate::net::Net;
use crate::time::DeviceClock;
use crate::trust::Trusted;

/// An agent at work: one machine with its disk and its network.
pub struct Agent<D, N> {
    machine: Machine,
    vault: Vault<D>,
    net: N,
    secret: Option<SecretText>,
    /// How the device proves which hardware it is when it enrolls.
    attestation: Attestation,
    ttl_h: Option<u32>,
    trusted: Trusted,
    signers: Signers,
    quadruple: Option<Quadruple>,
    /// What there is to say of the hardware now.
    hardware: Record,
    /// Roots that the server has offered, to be looked at.
    roots: Vec<RootOffer>,
    last_root_refused: Option<RootOffer>,
    /// Commands of which a person was told that they do not count.
    refused: BTreeSet<[u8; 32]>,
    asking_time: AskingTime,
    keeper: Keeper,
    room: Room,
    /// The refusal that is kept, or is to be.
    trouble: Option<KeptTrouble>,
    trouble_due: bool,
    /// Since when nothing has gone well.
    failing_since: Option<Timestamp>,
    export_owed: Option<exporting::Owed>,
    /// What is to be told with the next steps.
    notes: VecDeque<Note>,
    /// Whether a wipe has begun.
    wiping: bool,
    world: World,
}

/// What comes in from outside besides disk and network.
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The same clock, where it is one that keeps a floor and is to be told what servers say.
    pub device_clock: Option<Arc<DeviceClock>>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Where other programs are given certificate and key; `None` where they are not.
    pub export: Option<Export>,
    /// Asked whether what runs here does well with a configuration.
    pub check: Box<dyn FnMut(&Check<'_>) -> Checked + Send>,
    /// Run after a new certificate is in place.
    pub hooks: Box<dyn FnMut(&Identity) + Send>,
}

/// What one step of an agent came to.
#[derive(Debug)]
pub enum Progress {
    /// It went on; there may be something to tell.
    Went(Option<Box<Note>>),
    /// There is nothing to do before this time.
    Wait(Timestamp),
    /// A wipe is under way: from now on there is nothing for this agent to do. `wipe::Wipe` goes on.
    Wiping,
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// The machine, to look at.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What is kept, to look at.
    pub fn vault(&self) -> &Vault<D> {
        &self.vault
    }

    /// Renews at the next step, due or not.
    pub fn renew_now(&mut self) {
        self.machine.renew_now();
    }

    /// Asks the server at the next step, unless it is waited for something that went wrong.
    pub fn poll_now(&mut self) {
        self.machine.poll_now();
    }

    /// The time, as this agent sees it.
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// The current certificate with its key, and whom to believe to be the server; `None` where there is
    /// no certificate to show. For a connection beside the agent's own.
    pub fn connection(&self) -> Option<(Credentials, ServerTrust)> {
        let own = self.machine.identity()?;
        own.validity.as_ref()?;
        let credentials = self.vault.credentials(own.slot).ok()?;
        Some((credentials, self.trusted.server()))
    }

    /// How many roots are believed.
    pub fn roots_held(&self) -> usize {
        self.trusted.count()
    }

    /// The clock that this agent goes by.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.world.clock.clone()
    }

    /// Takes one step: at most one exchange with the server, or one thing written. Never sleeps.
    pub fn step(&mut self) -> Progress {
        if self.wiping {
            return Progress::Wiping;
        }
        if let Some(note) = self.notes.pop_front() {
            return Progress::Went(Some(Box::new(note)));
        }
        // Whatever else waits for the disk or the server, each of these tries once and lets the rest go on.
        self.configuration_step()
            .or_else(|| self.clock_step())
            .or_else(|| self.root_step())
            .or_else(|| self.export_step())
            .or_else(|| self.trouble_step())
            .unwrap_or_else(|| self.machine_step())
    }

    fn machine_step(&mut self) -> Progress {
        let (clock, rng) = (self.world.clock.clone(), self.world.rng.clone());
        let step = self.machine.next(&*clock, &*rng);
        let outcome = match step {
            Step::Wait(until) => return self.wait(until),
            Step::CarryOut(under_way) => match self.carry_out(under_way) {
                Ok(outcome) => Ok(outcome),
                Err(progress) => return progress,
            },
            Step::Attest(slot, challenge) => self.attest(slot, &challenge),
            Step::Send(ask) => match self.send(ask) {
                // With the right time it is asked once more, and nobody needs to know.
                Err(failure) if self.mends_dates(&failure) => return Progress::Went(None),
                outcome => outcome,
            },
            step => self.keep(step),
        };
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let note = self.machine.on(outcome, &*clock, &*rng);
        self.note_trouble(note.as_ref(), clock.now());
        Progress::Went(note.map(Box::new))
    }

    fn state(&self) -> Result<&State, Failure> {
        let missing = || Failure::give_up("there is no state to ask from");
        self.machine.state().ok_or_else(missing)
    }

    fn identity(&self) -> Result<&Identity, Failure> {
        let missing = || Failure::give_up("the device is not enrolled");
        self.machine.identity().ok_or_else(missing)
    }
}

impl From<VaultError> for Failure {
    /// A full disk is emptied, a file that is gone is restored: it is tried again.
    fn from(error: VaultError) -> Self {
        Self::retry(explain(&error))
    }
}
