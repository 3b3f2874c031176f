use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Clock, SystemClock, Timestamp};

use super::wait_for_configuration::Patience;
use super::{DeviceAgent, Exit, agent, say, tell};
use crate::config::Configuration;
use crate::disk::FileDisk;
use crate::drive::{OpenError, Progress};
use crate::explain;
use crate::log::Log;
use crate::machine::Verdict;
use crate::signals::{Wish, Wishes};
use crate::systemd;

/// However long there is nothing to do, the clock is looked at again after this long: it may be set.
const LONGEST_NAP: Duration = Duration::from_secs(60);

/// Enrolls and renews until stopped.
pub(super) fn run(config: &Path) -> Exit {
    let log = Log::new(Arc::new(SystemClock));
    let wishes = match Wishes::listen() {
        Ok(wishes) => wishes,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    systemd::ready();
    let exit = keep_running(config, &wishes, &log);
    systemd::stopping();
    exit
}

fn keep_running(config: &Path, wishes: &Wishes, log: &Log) -> Exit {
    let mut patience = Patience::new(config, log);
    loop {
        let Some(configuration) = patience.load(wishes) else {
            return Exit::Done;
        };
        let disk = match FileDisk::open(&configuration.persistent_directory) {
            Ok(disk) => disk,
            Err(error) => {
                log.error(explain(&error));
                return Exit::Refused;
            }
        };
        match agent(&configuration, disk, log) {
            Ok(agent) => match work(agent, &configuration, wishes, log) {
                Some(exit) => return exit,
                None => log.info("reading the configuration again"),
            },
            Err(OpenError::Vault(error)) => {
                log.error(explain(&error));
                return Exit::Refused;
            }
            Err(error) => {
                if patience.reject(explain(&error), wishes).is_none() {
                    return Exit::Done;
                }
            }
        }
    }
}

/// Works until told to stop, or, with `single_check`, until nothing is left to do now. `None` when the
/// configuration is to be read again.
fn work(
    mut agent: DeviceAgent,
    configuration: &Configuration,
    wishes: &Wishes,
    log: &Log,
) -> Option<Exit> {
    if let Some(own) = agent.machine().identity() {
        log.info(format_args!(
            "this device is {} ({})",
            own.name, own.device_id
        ));
    }
    let nap = systemd::pulse().unwrap_or(LONGEST_NAP).min(LONGEST_NAP);
    loop {
        systemd::alive();
        let pause = match agent.step() {
            Progress::Went(note) => {
                if let Some(note) = note {
                    tell::tell(&note, log);
                }
                Duration::ZERO
            }
            Progress::Wait(_) if configuration.single_check => return Some(end(&agent)),
            Progress::Wait(until) => left(until).min(nap),
        };
        match wishes.wait(pause) {
            Some(Wish::Stop) => return Some(Exit::Done),
            Some(Wish::Reload) => return None,
            Some(Wish::Renew) if agent.machine().identity().is_some() => agent.renew_now(),
            Some(Wish::Renew) | None => {}
        }
    }
}

/// How a single check ended.
fn end(agent: &DeviceAgent) -> Exit {
    match agent.machine().trouble().map(|trouble| &trouble.verdict) {
        Some(Verdict::GiveUp) => Exit::Refused,
        None if agent.machine().is_settled(SystemClock.now()) => Exit::Done,
        _ => Exit::NotYet,
    }
}

fn left(until: Timestamp) -> Duration {
    until.since(SystemClock.now())
}
