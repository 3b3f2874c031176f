//! Commands: whose signature counts, and what carries them out.

use enlist_core::{Digest, SigningMethod};
use enlist_pki::PublicKey;
use enlist_signed::{Command, Envelope, Order, Refused};
use enlist_wire as wire;

use super::{Agent, Progress};
use crate::config::Configuration;
use crate::disk::Disk;
use crate::explain;
use crate::machine::{Failure, Identity, Note, Outcome, State, Told, UnderWay};
use crate::net::Net;
use crate::trust::Approval;

/// The most commands that are looked at in one reply.
const MOST: usize = 64;
/// The most refused commands that are remembered, so as to tell of each once.
const MOST_TOLD: usize = 256;

/// Whose word counts.
pub(super) struct Signers {
    /// The configuration file names who may sign commands; otherwise those may that enrollment pinned.
    names_keys: bool,
    command_keys: Vec<PublicKey>,
    /// Who has to sign besides what destroys or changes trust; `None` where nobody has to.
    group_keys: Option<Vec<PublicKey>>,
}

/// Why a command does not count at all.
#[derive(Debug, thiserror::Error)]
enum NoCommand {
    #[error(transparent)]
    Malformed(#[from] enlist_signed::MalformedEnvelope),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("it is for another tenant or device")]
    AnotherDevice,
    #[error("it was given before this device enrolled, to an earlier life of it")]
    EarlierLife,
}

impl Signers {
    /// Whom the configuration file names, and what is wrong with that.
    pub(super) fn of(configuration: &Configuration) -> (Self, Vec<Note>) {
        let mut notes = Vec::new();
        let mut read = |pems: &[String], what| {
            let mut keys = Vec::new();
            for pem in pems {
                match PublicKey::from_pem(pem) {
                    Ok(key) => keys.push(key),
                    Err(error) => notes.push(Note::NotTaken {
                        what,
                        why: explain(&error),
                    }),
                }
            }
            keys
        };
        let command_keys = read(&configuration.command_keys, "a key of command_keys");
        let group_keys = read(&configuration.public_keys, "a key of public_keys");
        let by_group = configuration.signing_method != SigningMethod::Remote;
        let signers = Self {
            names_keys: !configuration.command_keys.is_empty(),
            command_keys,
            group_keys: by_group.then_some(group_keys),
        };
        (signers, notes)
    }

    fn open(
        &self,
        envelope: &wire::Envelope,
        state: &State,
        own: &Identity,
    ) -> Result<Told, NoCommand> {
        let envelope = Envelope::from_value(&envelope.0)?;
        let command: Command = if self.names_keys {
            envelope.open(&self.command_keys)?
        } else {
            let pinned = state.command_keys.iter();
            let pinned: Vec<_> = pinned.flat_map(|pem| PublicKey::from_pem(pem)).collect();
            envelope.open(&pinned)?
        };
        if command.device != own.device_id || command.tenant.as_str() != own.tenant {
            return Err(NoCommand::AnotherDevice);
        }
        if command.at.as_secs() < state.enrolled_at {
            return Err(NoCommand::EarlierLife);
        }
        Ok(Told {
            number: command.number,
            order: command.order,
            refused: self.missing(&envelope, command.order),
        })
    }

    /// Where operators sign for themselves, the server alone can destroy nothing.
    fn missing(&self, envelope: &Envelope, order: Order) -> Option<String> {
        let keys = self.group_keys.as_ref().filter(|_| order.destroys())?;
        let signed = keys.iter().any(|key| envelope.is_signed_by(key));
        (!signed).then(|| "it needs the group's own signature too".into())
    }
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// The commands that count, lowest number first. Of the others a person is told, once of each.
    pub(super) fn told(&mut self, envelopes: &[wire::Envelope]) -> Vec<Told> {
        let Some(state) = self.machine.state() else {
            return Vec::new();
        };
        let Some(own) = state.identity() else {
            return Vec::new();
        };
        let mut told = Vec::new();
        for envelope in envelopes.iter().take(MOST) {
            match self.signers.open(envelope, state, own) {
                Ok(one) => told.push(one),
                Err(why) => {
                    let digest = Digest::of(envelope.0.to_string().as_bytes());
                    if self.refused.len() < MOST_TOLD && self.refused.insert(*digest.as_bytes()) {
                        self.notes.push_back(Note::NotTaken {
                            what: "a command",
                            why: explain(&why),
                        });
                    }
                }
            }
        }
        told.sort_by_key(|one| one.number);
        told
    }

    /// Whose yes a new root needs, beside the signature of a root that is believed.
    pub(super) fn approval<'a>(&'a self, own: &'a Identity) -> Option<Approval<'a>> {
        Some(Approval {
            keys: self.signers.group_keys.as_ref()?,
            tenant: &own.tenant,
            group: &own.group,
        })
    }

    /// Carries out an order that is not about certificate or token; `Err` while that goes on.
    pub(super) fn carry_out(&mut self, under_way: UnderWay) -> Result<Outcome, Progress> {
        match under_way.order {
            Order::Wipe | Order::ResetConfiguration => self.by_room(under_way),
            Order::AcceptHardware => Ok(match self.accept_hardware() {
                Ok(()) => done(),
                Err(error) => Outcome::Failed(Failure::from(error)),
            }),
            // These are the machine's own.
            Order::Renew | Order::RotateKey | Order::RotateToken => Ok(done()),
        }
    }
}

pub(super) fn done() -> Outcome {
    Outcome::CarriedOut {
        done: true,
        detail: None,
    }
}
