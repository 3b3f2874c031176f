//! The rooms beside the machine: configuration and wipe.

use std::time::Duration;

use enlist_core::Timestamp;
use enlist_signed::{Order, OrderedBy};
use enlist_wire::{ConfigurationNumbers, ConfigurationOffer, ConfigurationReport};

use super::orders::done;
use super::{Agent, Progress};
use crate::configuration::{DeviceIs, Keeper, ResetBy};
use crate::disk::Disk;
use crate::explain;
use crate::machine::{Failure, Note, Outcome, UnderWay};
use crate::net::Net;
use crate::wipe;

/// How soon after one another the server is told of configuration that has changed, out of turn.
const LEAST_BETWEEN: Duration = Duration::from_secs(60);
/// When what could not be written is looked at again, where the keeper does not say.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

type Reported = (ConfigurationNumbers, Option<ConfigurationReport>);

/// Where things stand between the machine and the keeper of the configuration.
pub(super) struct Room {
    /// The keeper was told to go back to the defaults.
    is_resetting: bool,
    /// Something was done since the server was told last.
    has_worked: bool,
    /// What the server was told last.
    reported: Reported,
    /// When it was last told out of turn.
    told: Option<Timestamp>,
}

impl Room {
    pub(super) fn of(keeper: &Keeper) -> Self {
        Self {
            is_resetting: false,
            has_worked: false,
            reported: (keeper.numbers(), keeper.report()),
            told: None,
        }
    }
}

impl<D: Disk, N: Net> Agent<D, N> {
    /// One piece of work on the configuration; `None` when there is none now.
    pub(super) fn configuration_step(&mut self) -> Option<Progress> {
        let now = self.world.clock.now();
        let (disk, check) = (self.vault.disk_mut(), &mut *self.world.check);
        if let Some(note) = self.keeper.step(disk, check, now) {
            self.room.has_worked = true;
            let note = note.map(Note::Configuration).map(Box::new);
            return Some(Progress::Went(note));
        }
        if std::mem::take(&mut self.room.has_worked) {
            self.tell_of_configuration(now);
        }
        None
    }

    /// Polls at once where the server would say something else of the configuration than is so.
    fn tell_of_configuration(&mut self, now: Timestamp) {
        let current = (self.keeper.numbers(), self.keeper.report());
        let just_told = |told: Timestamp| told <= now && now < told + LEAST_BETWEEN;
        if current != self.room.reported && !self.room.told.is_some_and(just_told) {
            self.room.reported = current;
            self.room.told = Some(now);
            self.machine.poll_now();
        }
    }

    /// Nothing before this time, or before something that could not be written is tried again.
    pub(super) fn wait(&self, until: Timestamp) -> Progress {
        let due = self.keeper.due().filter(|_| self.keeper.is_busy());
        Progress::Wait(due.map_or(until, |due| due.min(until)))
    }

    /// Has an order carried out by the room that it is for; `Err` while that goes on.
    pub(super) fn by_room(&mut self, under_way: UnderWay) -> Result<Outcome, Progress> {
        let now = self.world.clock.now();
        if under_way.order == Order::Wipe {
            let order = wipe::Order {
                by: OrderedBy::Server,
                command: Some(under_way.number),
                reason: None,
                keep_copy: false,
            };
            return match wipe::begin(self.vault.disk_mut(), &order, now) {
                Ok(()) => {
                    self.wiping = true;
                    Err(Progress::Wiping)
                }
                Err(error) => Ok(Outcome::Failed(Failure::retry(explain(&error)))),
            };
        }
        if !std::mem::replace(&mut self.room.is_resetting, true) {
            self.keeper.reset(ResetBy::Server);
            return Err(Progress::Went(None));
        }
        if self.keeper.is_busy() {
            let due = self.keeper.due().unwrap_or(now + LOOK_AGAIN);
            return Err(Progress::Wait(due));
        }
        self.room.is_resetting = false;
        Ok(done())
    }

    /// The numbers of the configuration statements that are held, and what is in force.
    pub(super) fn configuration(&mut self) -> Reported {
        self.room.reported = (self.keeper.numbers(), self.keeper.report());
        self.room.reported.clone()
    }

    /// Takes configuration statements, to be looked at in the next steps.
    pub(super) fn offered(&mut self, offer: &ConfigurationOffer) {
        let Some(own) = self.machine.identity() else {
            return;
        };
        let who = DeviceIs {
            tenant: own.tenant.clone(),
            group: own.group.clone(),
            device_id: own.device_id,
        };
        self.keeper.offered(offer, &who, self.world.clock.now());
    }

    /// The keeper of the configuration, to look at.
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }
}
