use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{SystemClock, SystemRng};

use super::hold::Held;
use super::wait_for_configuration::Patience;
use super::{DeviceAgent, Exit, agent, say, tell, wiping};
use crate::config::Configuration;
use crate::disk::FileDisk;
use crate::drive::{OpenError, Progress};
use crate::explain;
use crate::log::Log;
use crate::machine::Verdict;
use crate::signals::{Wish, Wishes};
use crate::systemd;

/// Enrolls and renews until stopped.
pub(super) fn run(config: &Path, single_check: bool) -> Exit {
    let log = Log::new(Arc::new(SystemClock));
    let wishes = match Wishes::listen() {
        Ok(wishes) => wishes,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    let exit = keep_running(config, single_check, &wishes, &log);
    systemd::stopping();
    exit
}

fn keep_running(config: &Path, single_check: bool, wishes: &Wishes, log: &Log) -> Exit {
    // Whoever wants a single check waits for nothing.
    if single_check && let Err(error) = Configuration::load(config) {
        say(&error);
        return Exit::Misconfigured;
    }
    let mut patience = Patience::new(config, log);
    loop {
        let Some(mut configuration) = patience.load(wishes) else {
            return Exit::Done;
        };
        configuration.single_check |= single_check;
        let mut disk = match FileDisk::open(&configuration.persistent_directory) {
            Ok(disk) => disk,
            Err(error) => {
                log.error(explain(&error));
                return Exit::Refused;
            }
        };
        match wiping::is_due(&mut disk) {
            Ok(false) => {}
            Ok(true) => match wiping::carry_out(&configuration, disk, wishes, log) {
                Some(exit) => return exit,
                None => continue,
            },
            Err(error) => {
                log.error(explain(&error));
                return Exit::Refused;
            }
        }
        let _button = wiping::watch_button(&configuration, wishes, log);
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
    let mut held = hold(&agent, configuration, wishes, log);
    let nap = wishes.longest_nap();
    let mut is_first = true;
    loop {
        systemd::alive();
        let progress = agent.step();
        if std::mem::take(&mut is_first) {
            // What is kept reads, the directory is ours, and the first step is taken.
            systemd::ready();
        }
        let pause = match progress {
            Progress::Went(note) => {
                if let Some(note) = note {
                    tell::tell(&note, log);
                }
                Duration::ZERO
            }
            Progress::Wiping => return None,
            Progress::Wait(_) if configuration.single_check => return Some(end(&agent)),
            Progress::Wait(until) => until.since(agent.now()).min(nap),
        };
        if let Some(held) = &mut held {
            held.follow(&agent);
        }
        match wishes.wait(pause) {
            Some(Wish::Stop) => return Some(Exit::Done),
            Some(Wish::Reload) => return None,
            Some(Wish::Renew) if agent.machine().identity().is_some() => agent.renew_now(),
            // It is looked for when the directory is opened.
            Some(Wish::Wipe) => return None,
            Some(Wish::Button(action)) => {
                if wiping::pressed(action, configuration, agent.now(), log) {
                    return None;
                }
            }
            Some(Wish::Poll) => agent.poll_now(),
            Some(Wish::Renew | Wish::Clock) | None => {}
        }
    }
}

/// The connection on which the server can say that there is something to do. Without it the device
/// polls all the same.
fn hold(
    agent: &DeviceAgent,
    configuration: &Configuration,
    wishes: &Wishes,
    log: &Log,
) -> Option<Held> {
    match Held::open(
        configuration,
        agent.clock(),
        Arc::new(SystemRng),
        wishes.sender(),
    ) {
        Ok(held) => held,
        Err(error) => {
            log.warn(explain(&error));
            None
        }
    }
}

/// How a single check ended.
fn end(agent: &DeviceAgent) -> Exit {
    match agent.machine().trouble().map(|trouble| &trouble.verdict) {
        Some(Verdict::GiveUp) => Exit::Refused,
        None if agent.machine().is_settled(agent.now()) => Exit::Done,
        _ => Exit::NotYet,
    }
}
