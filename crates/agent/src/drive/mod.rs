//! Carries out what the machine says, with a disk and a network.

mod check;
mod claim;
mod exchange;

use std::path::Path;
use std::sync::Arc;

use enlist_core::{Clock, DeviceId, Rng, Timestamp};
use enlist_pki::Anchors;
use enlist_wire::SecretText;

pub use check::BadReply;
pub use claim::Claim;
use claim::claim;
pub(crate) use claim::name;

use crate::config::{Configuration, Quadruple};
use crate::disk::{Disk, Vault, VaultError};
use crate::explain;
use crate::hardware::NotFound;
use crate::machine::{
    Adoptable, Failure, Identity, Machine, Note, Outcome, Settings, State, Step, Validity,
};
use crate::net::Net;

/// An agent at work: one machine with its disk and its network.
pub struct Agent<D, N> {
    machine: Machine,
    vault: Vault<D>,
    net: N,
    secret: Option<SecretText>,
    ttl_h: Option<u32>,
    anchors: Anchors,
    quadruple: Option<Quadruple>,
    world: World,
}

/// What comes in from outside besides disk and network.
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
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
}

/// Why an agent can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What is kept can't be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The configuration holds the pre-enrolled identity of another device.
    #[error(
        "this device is {own}, but the configuration holds the identity of {given}; \
         give it another persistent_directory, or the identity that belongs here"
    )]
    AnotherDevice {
        /// The device that this one is.
        own: DeviceId,
        /// The one in the configuration.
        given: DeviceId,
    },
    /// The hardware identity that the configuration names can't be read.
    #[error("the hardware identity that the configuration names can't be used")]
    Hardware(#[from] NotFound),
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// An agent that goes by `configuration` and goes on where the one before left off. `root` is where
    /// hardware is looked up: `/`.
    ///
    /// # Errors
    /// When the state is damaged or of another version, or does not go with the configuration.
    pub fn open(
        configuration: &Configuration,
        disk: D,
        net: N,
        world: World,
        root: &Path,
    ) -> Result<Self, OpenError> {
        let mut vault = Vault::new(disk);
        let state = vault.state()?;
        let quadruple = configuration.quadruple.clone();
        let own = state.as_ref().and_then(State::identity);
        if let (Some(own), Some(given)) = (own, &quadruple)
            && own.device_id != given.device_id
        {
            return Err(OpenError::AnotherDevice {
                own: own.device_id,
                given: given.device_id,
            });
        }
        // Who is enrolled claims nothing any more, and must not fail over what it could claim.
        let claim = match (&own, &quadruple) {
            (None, None) => claim(configuration, root, &mut vault, &*world.rng)?,
            _ => Claim::default(),
        };
        let settings = settings(configuration, claim, quadruple.as_ref());
        Ok(Self {
            machine: Machine::new(settings, state),
            vault,
            net,
            secret: configuration
                .enrollment_token
                .as_ref()
                .map(|secret| SecretText::from(secret.expose().to_owned())),
            ttl_h: configuration.certificate_ttl_h,
            anchors: configuration.trust.anchors.clone(),
            quadruple,
            world,
        })
    }

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

    /// Takes one step: at most one exchange with the server, or one thing written. Never sleeps.
    pub fn step(&mut self) -> Progress {
        let (clock, rng) = (self.world.clock.clone(), self.world.rng.clone());
        let step = self.machine.next(&*clock, &*rng);
        let outcome = match step {
            Step::Wait(until) => return Progress::Wait(until),
            Step::Send(ask) => self.send(ask),
            step => self.keep(step),
        };
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        Progress::Went(self.machine.on(outcome, &*clock, &*rng).map(Box::new))
    }

    /// Carries out a step that takes no more than the disk.
    fn keep(&mut self, step: Step) -> Result<Outcome, Failure> {
        Ok(match step {
            Step::MakeKey(slot) => {
                self.vault.make_key(slot)?;
                Outcome::KeyMade(slot)
            }
            Step::Adopt(slot) => {
                let gone = || Failure::give_up("the pre-enrolled identity is gone");
                let quadruple = self.quadruple.as_ref().ok_or_else(gone)?;
                self.vault.adopt(slot, quadruple)?;
                Outcome::Adopted(slot)
            }
            Step::Save(state) => {
                self.vault.save(&state)?;
                Outcome::Saved
            }
            Step::Install(slot, granted) => {
                self.vault.install(slot, &granted)?;
                Outcome::Installed
            }
            Step::Activate(slot) => {
                self.vault.activate(slot)?;
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
            Step::Send(_) | Step::Wait(_) => {
                return Err(Failure::give_up("this step takes more than a disk"));
            }
        })
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

fn settings(
    configuration: &Configuration,
    claim: Claim,
    quadruple: Option<&Quadruple>,
) -> Settings {
    Settings {
        tenant: configuration.tenant.to_string(),
        group: configuration.group.to_string(),
        name: claim.name,
        hardware: claim.hardware,
        refresh_threshold: configuration.cert_refresh_threshold,
        polling_interval: configuration.polling_interval,
        pre_enrolled: quadruple.and_then(adoptable),
    }
}

fn adoptable(quadruple: &Quadruple) -> Option<Adoptable> {
    let leaf = quadruple.chain.first()?;
    Some(Adoptable {
        device_id: quadruple.device_id,
        name: leaf
            .common_name()
            .unwrap_or_else(|| quadruple.device_id.to_string()),
        token: SecretText::from(quadruple.device_token.expose().to_owned()),
        validity: Validity {
            serial: leaf.serial_hex(),
            not_before: leaf.not_before(),
            not_after: leaf.not_after(),
            skew: 0,
        },
    })
}
