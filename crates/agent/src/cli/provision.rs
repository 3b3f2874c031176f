use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Clock, SystemClock, Timestamp};
use serde_json::json;

use super::{DeviceAgent, Exit, Output, agent, pass, report, say, tell};
use crate::config::Configuration;
use crate::disk::{FileDisk, Locked, Vault};
use crate::log::Log;
use crate::machine::{Identity, Stage, State};

/// Enrolls once.
pub(super) fn provision(config: &Path, wait: u64, output: Output) -> Exit {
    let configuration = match Configuration::load(config) {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let directory = &configuration.persistent_directory;
    let disk = match FileDisk::open(directory) {
        Ok(disk) => disk,
        Err(error) => {
            let vault = Vault::new(FileDisk::look(directory));
            let now = vault.likely_time(SystemClock.now());
            let kept = vault.state().ok().flatten();
            return match (&error, kept.as_ref().and_then(State::identity)) {
                (Locked::Busy { .. }, Some(own)) if is_good(own, now) => {
                    already(own, &configuration, output)
                }
                _ => {
                    say(&error);
                    Exit::Refused
                }
            };
        }
    };
    let log = Log::new(Arc::new(SystemClock));
    let mut agent = match agent(&configuration, disk, &log) {
        Ok(agent) => agent,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    // By a clock that is wrong: what looks old is looked at again once a server has said the time.
    let now = agent.vault().likely_time(SystemClock.now());
    let own = agent.machine().identity();
    if let Some(own) = own.filter(|own| is_good(own, now)) {
        return already(own, &configuration, output);
    }
    // Of one that waits already nothing more is told until its code is another one.
    if let Some(Stage::Enrolling(waiting)) = agent.machine().state().map(|state| &state.stage)
        && waiting.pending
    {
        tell::pending(waiting.code.as_deref(), &log);
    }
    let exit = pass::until(&mut agent, Duration::from_secs(wait), &log, |agent| {
        agent.machine().is_settled(agent.now())
    });
    match holds_its_own(&agent) {
        // The certificate is there; what is left to do, `run` will do.
        Some(own) if exit != Exit::Refused => {
            let more = [("already_enrolled", json!(false))];
            report::identity(own, &configuration, &more, output);
            Exit::Done
        }
        _ => exit,
    }
}

fn already(own: &Identity, configuration: &Configuration, output: Output) -> Exit {
    let log = Log::new(Arc::new(SystemClock));
    log.info(format_args!("already enrolled as {}", own.name));
    report::identity(
        own,
        configuration,
        &[("already_enrolled", json!(true))],
        output,
    );
    Exit::Done
}

fn holds_its_own(agent: &DeviceAgent) -> Option<&Identity> {
    let now = agent.now();
    agent.machine().identity().filter(|own| is_good(own, now))
}

/// Whether the device holds a certificate over a key of its own that has not expired.
fn is_good(own: &Identity, now: Timestamp) -> bool {
    let validity = own.validity.as_ref();
    !own.pre_enrolled && validity.is_some_and(|validity| !validity.is_over(now))
}
