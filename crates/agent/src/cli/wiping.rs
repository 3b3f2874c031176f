//! A wipe, carried out with the files and the network of this device.

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Clock, SystemClock, SystemRng, Timestamp};
use enlist_keys::KeyStoreError;
use enlist_signed::{Erasure, OrderedBy};
use enlist_wire::Time;

use super::Exit;
use crate::button::{Said, Watch};
use crate::config::{ButtonAction, Configuration};
use crate::configuration::{self, ResetBy};
use crate::disk::{FileDisk, Keys, Vault, VaultError};
use crate::explain;
use crate::log::Log;
use crate::machine::Failure;
use crate::net::{HttpNet, Net};
use crate::signals::{Wish, Wishes};
use crate::systemd;
use crate::time::{BootTime, DeviceClock, built_at};
use crate::trust::Trusted;
use crate::wipe::{self, FileGround, Journal, Note, Order, Wipe, WipeError, WipeProgress};

/// A wipe of this device.
pub(super) struct Wiping {
    wipe: Wipe,
    vault: Vault<FileDisk>,
    net: HttpNet,
    clock: Arc<DeviceClock>,
}

/// Why a wipe of this device can't go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stuck {
    /// Its journal can't be read.
    #[error(transparent)]
    Wipe(#[from] WipeError),
    /// What it takes to reach the server can't be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The key store can't be had.
    #[error("the key store of the configuration can't be used")]
    KeyStore(#[from] KeyStoreError),
}

impl Wiping {
    /// Goes on with the wipe that is under way on `disk`; `None` where there is none.
    pub(super) fn open(
        configuration: &Configuration,
        disk: FileDisk,
    ) -> Result<Option<Self>, Stuck> {
        let ground = Box::new(FileGround::new(configuration));
        let Some(wipe) = Wipe::open(configuration, &disk, ground)? else {
            return Ok(None);
        };
        let keys = Keys::open(
            &configuration.key_store,
            configuration.key_kind,
            &configuration.persistent_directory,
            Arc::new(SystemRng),
        )?;
        let vault = Vault::with_keys(disk, keys);
        let (system, uptime) = (Arc::new(SystemClock), Arc::new(BootTime));
        let clock = Arc::new(DeviceClock::new(system, uptime, built_at()));
        if let Some(floor) = vault.floor()? {
            clock.raise(floor);
        }
        let trusted = Trusted::new(configuration, vault.anchors()?.as_deref());
        let net = HttpNet::new(
            configuration.server_url.clone(),
            trusted.server(),
            configuration.network_timeout,
            clock.clone(),
        );
        let mut wiping = Self {
            wipe,
            vault,
            net,
            clock,
        };
        if wiping.clock.needs_asking() {
            wiping.ask_time();
        }
        Ok(Some(wiping))
    }

    /// How far it has come.
    pub(super) fn journal(&self) -> &Journal {
        self.wipe.journal()
    }

    /// Takes one step, and tells what came of it.
    pub(super) fn step(&mut self, log: &Log) -> WipeProgress {
        let progress = self
            .wipe
            .step(&mut self.vault, &mut self.net, &*self.clock, &SystemRng);
        if let WipeProgress::Went(Some(note)) = &progress {
            tell(note, log);
            if let Note::Trouble { failure, .. } = &**note
                && failure.is_about_dates()
            {
                self.ask_time();
            }
        }
        progress
    }

    /// How long it is until then.
    pub(super) fn left(&self, until: Timestamp) -> Duration {
        until.since(self.clock.now())
    }

    /// A time that is not told, or not believed, leaves everything as it was.
    fn ask_time(&mut self) {
        if let Ok(time) = self.net.time() {
            let _ = self.clock.set(time);
        }
    }
}

/// Whether the device is out of service: a wipe is under way, or somebody has asked for one, which
/// begins now.
pub(super) fn is_due(disk: &mut FileDisk) -> Result<bool, WipeError> {
    if wipe::is_under_way(disk)? {
        return Ok(true);
    }
    let Some(order) = wipe::asked(disk)? else {
        return Ok(false);
    };
    wipe::begin(disk, &order, SystemClock.now())?;
    Ok(true)
}

/// Watches the device's button, where the configuration names one.
pub(super) fn watch_button(
    configuration: &Configuration,
    wishes: &Wishes,
    log: &Log,
) -> Option<Watch> {
    let (sender, quiet) = (wishes.sender(), log.clone());
    let say = move |said| match said {
        // Nobody listens any more when the agent ends.
        Said::Held(action) => drop(sender.send(Wish::Button(action))),
        Said::Unwatched(why) => quiet.warn(format_args!("the button can't be watched: {why}")),
    };
    match Watch::new(configuration.button.clone()?, say) {
        Ok(watch) => Some(watch),
        Err(why) => {
            log.warn(format_args!("the button can't be watched: {why}"));
            None
        }
    }
}

/// The button was held. Whether the agent has to open its directory anew to do what it is for.
pub(super) fn pressed(
    action: ButtonAction,
    configuration: &Configuration,
    now: Timestamp,
    log: &Log,
) -> bool {
    // This is the agent at work here, so it may write beside itself.
    let mut disk = FileDisk::look(&configuration.persistent_directory);
    let done = match action {
        ButtonAction::Decommission => {
            log.warn("the button was held: this device is to be wiped");
            let order = Order {
                by: OrderedBy::Button,
                command: None,
                reason: None,
                keep_copy: false,
            };
            wipe::begin(&mut disk, &order, now).map_err(|why| explain(&why))
        }
        ButtonAction::ResetConfiguration => {
            log.warn("the button was held: back to the defaults of the configuration");
            configuration::request_reset(&mut disk, ResetBy::Button).map_err(|why| why.to_string())
        }
    };
    if let Err(why) = &done {
        log.error(why);
    }
    done.is_ok()
}

/// Goes on with the wipe until the device is clean (`None`: go on as a new device), until told to stop, or
/// until the configuration is to be read again (`None` too). With `single_check`, goes no further than it
/// gets without waiting.
pub(super) fn carry_out(
    configuration: &Configuration,
    disk: FileDisk,
    wishes: &Wishes,
    log: &Log,
) -> Option<Exit> {
    let mut wiping = match Wiping::open(configuration, disk) {
        Ok(Some(wiping)) => wiping,
        Ok(None) => return None,
        Err(error) => {
            log.error(explain(&error));
            return Some(Exit::Refused);
        }
    };
    log.warn("this device is being wiped");
    systemd::status("Wiping");
    systemd::ready();
    let nap = wishes.longest_nap();
    loop {
        systemd::alive();
        let pause = match wiping.step(log) {
            WipeProgress::Went(_) => Duration::ZERO,
            WipeProgress::Wait(_) if configuration.single_check => return Some(Exit::NotYet),
            WipeProgress::Wait(until) => wiping.left(until).min(nap),
            WipeProgress::Clean if configuration.single_check => return Some(Exit::Done),
            WipeProgress::Clean => return None,
        };
        match wishes.wait(pause) {
            Some(Wish::Stop) => return Some(Exit::Done),
            Some(Wish::Reload) => return None,
            // Nothing else counts any more.
            Some(_) | None => {}
        }
    }
}

/// What a wipe tells while it goes on.
fn tell(note: &Note, log: &Log) {
    match note {
        Note::Told => log.info("the server knows that this device is being wiped"),
        Note::NotTold(failure) => log.warn(format_args!(
            "the server could not be told ({}); the receipt will tell it",
            failure.message
        )),
        Note::Erased(item) => match &item.result {
            Erasure::Erased => log.info(format_args!("{}: erased", item.what)),
            Erasure::Absent => log.info(format_args!("{}: there was none", item.what)),
            Erasure::Failed(why) => log.error(format_args!("{}: {why}", item.what)),
        },
        Note::Signed => log.info("the receipt is signed"),
        Note::NoReceipt(why) => {
            log.error(format_args!("there will be no receipt: {why}"));
        }
        Note::KeysGone => log.info("the keys are destroyed"),
        Note::Received => log.info("the server has the receipt on record"),
        Note::Refused(why) => log.error(format_args!(
            "the server will not take the receipt: {why}; it is left in receipt.json"
        )),
        Note::Clean => log.info("this device is clean"),
        Note::Trouble { again: true, .. } => {}
        Note::Trouble { failure, until, .. } => trouble(failure, *until, log),
    }
}

fn trouble(failure: &Failure, until: Timestamp, log: &Log) {
    let slug = failure.slug.as_ref();
    let slug = slug.map_or_else(String::new, |slug| format!(" ({slug})"));
    let until = Time::from_secs(until.as_secs());
    log.warn(format_args!(
        "{}{slug}; the wipe goes on at {until}",
        failure.message
    ));
}
