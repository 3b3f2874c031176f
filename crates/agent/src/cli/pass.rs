//! Working towards an end, for commands that are not the daemon.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{DeviceAgent, Exit, tell};
use crate::drive::Progress;
use crate::log::Log;
use crate::machine::{Note, Verdict};

/// Steps on until `done`, for as long as `wait` says at most, or until it turns out that only a person
/// can help.
pub(super) fn until(
    agent: &mut DeviceAgent,
    wait: Duration,
    log: &Log,
    done: impl Fn(&DeviceAgent) -> bool,
) -> Exit {
    let start = Instant::now();
    loop {
        if done(agent) {
            return Exit::Done;
        }
        match agent.step() {
            Progress::Went(note) => {
                let Some(note) = note else { continue };
                tell::tell(&note, log);
                if let Note::Trouble { failure, .. } = *note
                    && failure.verdict == Verdict::GiveUp
                {
                    return Exit::Refused;
                }
            }
            // `run` and `decommission` go on with it.
            Progress::Wiping => return Exit::NotYet,
            Progress::Wait(until) => {
                let pause = until.since(agent.now());
                if start.elapsed() + pause > wait {
                    return Exit::NotYet;
                }
                sleep(pause);
            }
        }
    }
}
