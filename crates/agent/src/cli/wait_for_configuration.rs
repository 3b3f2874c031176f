use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config::Configuration;
use crate::explain;
use crate::log::Log;
use crate::signals::{Wish, Wishes};
use crate::systemd;

/// How often to look whether the file has changed.
const LOOK: Duration = Duration::from_secs(1);
/// How many looks pass before it is read again though it has not: the identity file may have.
const READ_ANYWAY: u32 = 10;

/// What waits for a configuration that can be used.
pub(super) struct Patience<'a> {
    path: &'a Path,
    log: &'a Log,
    /// What was complained about last, so that it is said once.
    said: String,
}

impl<'a> Patience<'a> {
    pub(super) fn new(path: &'a Path, log: &'a Log) -> Self {
        Self {
            path,
            log,
            said: String::new(),
        }
    }

    /// The configuration, as soon as it is there and good; `None` when told to stop before.
    pub(super) fn load(&mut self, wishes: &Wishes) -> Option<Configuration> {
        loop {
            let read = stamp(self.path);
            match Configuration::load(self.path) {
                Ok(configuration) => {
                    self.said.clear();
                    return Some(configuration);
                }
                Err(error) if error.is_absence() => {
                    self.complain(format!(
                        "waiting for the configuration: {}",
                        explain(&error)
                    ));
                }
                Err(error) => self.complain(explain(&error)),
            }
            self.pause(read, wishes)?;
        }
    }

    /// Complains about a configuration that turned out to be of no use, and waits until it changes;
    /// `None` when told to stop before.
    pub(super) fn reject(&mut self, why: String, wishes: &Wishes) -> Option<()> {
        self.complain(why);
        self.pause(stamp(self.path), wishes)
    }

    fn pause(&self, read: Option<Stamp>, wishes: &Wishes) -> Option<()> {
        for _ in 0..READ_ANYWAY {
            systemd::alive();
            match wishes.wait(LOOK) {
                Some(Wish::Stop) => return None,
                Some(Wish::Reload) => return Some(()),
                Some(_) | None => {}
            }
            if stamp(self.path) != read {
                return Some(());
            }
        }
        Some(())
    }

    fn complain(&mut self, why: String) {
        if self.said != why {
            self.log.error(&why);
            systemd::status(&why);
            // Waiting for a file is what it is there for now; a machine must not hang in its start.
            systemd::ready();
            self.said = why;
        }
    }
}

type Stamp = (Option<SystemTime>, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}
