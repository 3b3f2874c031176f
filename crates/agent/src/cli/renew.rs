use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use enlist_core::SystemClock;
use rustix::process::{Pid, Signal, kill_process};

use super::{Exit, Output, agent, pass, report, say};
use crate::config::Configuration;
use crate::disk::{FileDisk, Locked, Vault};
use crate::log::Log;
use crate::machine::{Identity, State};
use crate::wipe;

/// Renews now.
pub(super) fn renew(config: &Path, wait: u64, output: Output) -> Exit {
    let wait = Duration::from_secs(wait);
    let configuration = match Configuration::load(config) {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let log = Log::new(Arc::new(SystemClock));
    let directory = &configuration.persistent_directory;
    let Some(before) = kept(directory) else {
        if wipe::is_under_way(&FileDisk::look(directory)).unwrap_or(true) {
            log.error(
                "this device is being wiped; `enlist-agent run` goes on with that, and so does \
                 `decommission`",
            );
        } else {
            log.error("this device is not enrolled; `enlist-agent provision` enrolls it");
        }
        return Exit::Refused;
    };
    let exit = match FileDisk::open(directory) {
        Ok(disk) => match agent(&configuration, disk, &log) {
            Ok(mut agent) => {
                agent.renew_now();
                let exit = pass::until(&mut agent, wait, &log, |agent| {
                    agent.machine().is_settled(agent.now())
                });
                if exit == Exit::NotYet {
                    log.warn(
                        "this is not done yet; `enlist-agent run` goes on with it, and so does this command",
                    );
                }
                exit
            }
            Err(error) => {
                say(&error);
                Exit::Refused
            }
        },
        Err(Locked::Busy { pid: Some(pid), .. }) => ask(pid, directory, &before, wait, &log),
        Err(error) => {
            say(&error);
            Exit::Refused
        }
    };
    match kept(directory) {
        Some(now) if now.slot != before.slot => {
            report::identity(&now, &configuration, &[], output);
            Exit::Done
        }
        _ => exit,
    }
}

/// Asks the agent that is at work, and waits until it has done it.
fn ask(pid: i32, directory: &Path, before: &Identity, wait: Duration, log: &Log) -> Exit {
    let asked = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::USR1));
    if !matches!(asked, Some(Ok(()))) {
        log.error(format_args!(
            "the agent that runs (process {pid}) can't be asked; `kill -USR1 {pid}` as its user does it"
        ));
        return Exit::Refused;
    }
    let start = Instant::now();
    while start.elapsed() < wait {
        sleep(Duration::from_millis(100));
        if kept(directory).is_some_and(|now| now.slot != before.slot && now.confirmed) {
            return Exit::Done;
        }
    }
    log.warn(
        "the agent that runs was asked to renew, and has not done so yet; its log and \
         `enlist-agent status` say why",
    );
    Exit::NotYet
}

fn kept(directory: &Path) -> Option<Identity> {
    let state = Vault::new(FileDisk::look(directory)).state().ok()??;
    State::identity(&state).cloned()
}
