//! Working towards an end, for commands that are not the daemon.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{DeviceAgent, Exit, tell};
use crate::drive::Progress;
use crate::log::Log;
use crate::machine::{Note, Verdict};

/// Steps on until `done`, for as long as `wait` says, or until it turns out that only a person can help,
/// and that is on record.
pub(super) fn until(
    agent: &mut DeviceAgent,
    wait: Duration,
    log: &Log,
    done: impl Fn(&DeviceAgent) -> bool,
) -> Exit {
    let start = Instant::now();
    let mut is_refused = false;
    loop {
        if done(agent) {
            return Exit::Done;
        }
        if is_refused && !agent.goes_on() {
            return Exit::Refused;
        }
        match agent.step() {
            Progress::Went(note) => {
                let Some(note) = note else { continue };
                tell::tell(&note, log);
                match *note {
                    Note::Trouble { failure, .. } => {
                        is_refused = failure.verdict == Verdict::GiveUp;
                    }
                    Note::Pending { .. } => is_refused = false,
                    _ => {}
                }
            }
            // `run` and `decommission` go on with it.
            Progress::Wiping => return Exit::NotYet,
            Progress::Wait(until) => {
                let left = wait.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Exit::NotYet;
                }
                sleep(until.since(agent.now()).min(left));
            }
        }
    }
}
