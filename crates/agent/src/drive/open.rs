use std::collections::BTreeSet;
use std::path::Path;

use enlist_core::DeviceId;
use enlist_keys::KeyStoreError;
use enlist_wire::SecretText;

use super::asking_time::AskingTime;
use super::claim::{Claim, claimed};
use super::hardware::{Compared, compare, present, reported};
use super::orders::Signers;
use super::rooms::Room;
use super::{Agent, World};
use crate::config::{Attestation, Configuration, Quadruple};
use crate::configuration::{self, Keeper};
use crate::disk::{Disk, Keys, Vault, VaultError};
use crate::hardware::{NotFound, Record};
use crate::machine::{Adoptable, Machine, Settings, State, Validity};
use crate::net::Net;
use crate::trust::Trusted;
use crate::wipe::{self, WipeError};

/// Why an agent can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A wipe is under way: nothing else is done before it is over.
    #[error(
        "this device is being wiped; `enlist-agent run` goes on with that, and so does `decommission`"
    )]
    Wiping,
    /// Whether a wipe is under way can't be told.
    #[error(transparent)]
    Wipe(#[from] WipeError),
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
    /// The key store of the configuration can't be had.
    #[error("the key store of the configuration can't be used")]
    KeyStore(#[from] KeyStoreError),
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
        keys: Keys,
        net: N,
        world: World,
        root: &Path,
    ) -> Result<Self, OpenError> {
        if wipe::is_under_way(&disk)? {
            return Err(OpenError::Wiping);
        }
        let mut vault = Vault::with_keys(disk, keys);
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
        let present = match (&own, &quadruple) {
            (None, None) => Some(claimed(configuration, root, &mut vault, &*world.rng)?),
            _ => present(configuration, root, &vault),
        };
        let record = Record::of(root, present, world.clock.now());
        let compared = match own {
            Some(_) => compare(&mut vault, &record, root)?,
            None => Compared::default(),
        };
        let claim = Claim::of(configuration, record.hardware.as_ref());
        let mut settings = settings(configuration, claim, quadruple.as_ref());
        settings.changed_hardware = reported(compared.changed.as_ref());
        let trusted = Trusted::new(configuration, vault.anchors()?.as_deref());
        let floor = vault.floor()?;
        let (signers, notes) = Signers::of(configuration);
        let group_keys = configuration::keys(configuration);
        let keeper = Keeper::open(vault.disk(), group_keys, world.clock.now());
        let mut agent = Self {
            machine: Machine::new(settings, state),
            trouble: vault.trouble()?,
            vault,
            net,
            secret: configuration
                .enrollment_token
                .as_ref()
                .map(|secret| SecretText::from(secret.expose().to_owned())),
            attestation: configuration.attestation.clone(),
            ttl_h: configuration.certificate_ttl_h,
            trusted,
            signers,
            quadruple,
            hardware: record,
            roots: Vec::new(),
            last_root_refused: None,
            refused: BTreeSet::new(),
            asking_time: AskingTime::default(),
            room: Room::of(&keeper),
            keeper,
            trouble_due: false,
            failing_since: None,
            export_owed: None,
            notes: compared.note.into_iter().chain(notes).collect(),
            wiping: false,
            world,
        };
        agent.net.believe(agent.trusted.server());
        agent.start_clock(floor);
        Ok(agent)
    }
}

pub(super) fn settings(
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
        may_enroll: quadruple.is_none()
            && (configuration.enrollment_token.is_some() || configuration.attestation.proves()),
        attests: configuration.attestation == Attestation::Tpm,
        changed_hardware: None,
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
