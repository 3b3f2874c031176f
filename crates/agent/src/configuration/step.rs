use std::io;
use std::time::Duration;

use enlist_core::Timestamp;

use super::change_log::{self, Entry};
use super::keeper::{Trouble, Trying};
use super::record::Record;
use super::slot::{self, CURRENT, STATE, STATE_COPY};
use super::statements::Statements;
use super::{Check, Checked, Keeper, Note};
use crate::disk::Disk;

/// So many backups are kept, those of the highest schema versions.
const MOST_BACKUPS: usize = 4;

const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// One thing to do. The first of them are durable once done; the last are for memory alone.
pub(super) enum Step {
    Write(String, Vec<u8>),
    Save(Box<Record>),
    /// Points the link for programs at a slot.
    Point(u64),
    /// Takes the link away: there is no configuration.
    Unlink,
    Remove(String),
    Log(Box<Entry>),
    /// Asks the hook about what is tried.
    Check {
        slot: u64,
        before: Option<u64>,
    },
    /// Tells the hook that the one before is back.
    Return {
        slot: u64,
        from: u64,
    },
    /// What was offered is known now; `anew` where it is for who the device was not before.
    Learn {
        known: Box<Statements>,
        anew: bool,
    },
    Backed(u32, Box<Statements>),
    Try(Box<Trying>),
    /// What was tried is in force.
    Settle,
    Mended,
    Reset,
    Tell(Note),
}

impl Keeper {
    /// Takes one step: at most one durable write, or one run of the hook, which may take as long as it is
    /// allowed to. `None` when there is nothing to do now; else what is worth a line in the log.
    pub fn step<D: Disk>(
        &mut self,
        disk: &mut D,
        check: &mut dyn FnMut(&Check<'_>) -> Checked,
        now: Timestamp,
    ) -> Option<Option<Note>> {
        if let Some(note) = self.notes.pop_front() {
            return Some(Some(note));
        }
        if self.is_patient(now) {
            return None;
        }
        if self.plan.is_empty() {
            self.plan = self.make_plan(now);
        }
        let step = self.plan.pop_front()?;
        match self.carry_out(step, disk, check) {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    self.notes
                        .push_back(Note::good("the configuration can be stored again"));
                }
            }
            // It is planned anew from what is durable.
            Err(why) => {
                self.plan.clear();
                self.put_off(&why, now);
            }
        }
        Some(self.notes.pop_front())
    }

    /// Removes everything that is kept of configuration.
    ///
    /// # Errors
    /// The file system's.
    pub fn erase<D: Disk>(disk: &mut D) -> io::Result<bool> {
        disk.erase(slot::HOME)
    }

    fn carry_out<D: Disk>(
        &mut self,
        step: Step,
        disk: &mut D,
        check: &mut dyn FnMut(&Check<'_>) -> Checked,
    ) -> io::Result<()> {
        match step {
            Step::Write(path, bytes) => disk.write(&path, &bytes)?,
            Step::Save(record) => {
                let json = record.to_json();
                disk.write(STATE, &json)?;
                disk.write(STATE_COPY, &json)?;
                self.saved(*record);
            }
            Step::Point(slot) => {
                disk.point(CURRENT, &slot.to_string())?;
                self.points_at = Some(slot);
            }
            Step::Unlink => {
                disk.erase(CURRENT)?;
                self.points_at = None;
            }
            Step::Remove(directory) => {
                disk.remove(&directory)?;
                self.stale.retain(|stale| *stale != directory);
            }
            Step::Log(entry) => change_log::append(disk, &entry)?,
            Step::Check { slot, before } => {
                let (configuration, before) = (slot::config(slot), before.map(slot::config));
                self.verdict = Some(check(&Check {
                    configuration: &configuration,
                    before: before.as_deref(),
                }));
            }
            Step::Return { slot, from } => {
                let said = check(&Check {
                    configuration: &slot::config(slot),
                    before: Some(&slot::config(from)),
                });
                if said != Checked::Good {
                    let words = "the hook does not answer well for the configuration before either";
                    self.notes.push_back(Note::bad(words));
                }
            }
            Step::Learn { known, anew } => {
                self.known = *known;
                self.incoming = None;
                if anew {
                    self.backups.clear();
                }
            }
            Step::Backed(version, statements) => {
                self.backups.retain(|(other, _)| *other != version);
                self.backups.push((version, *statements));
                self.backups.sort_by_key(|(version, _)| *version);
                let too_many = self.backups.len().saturating_sub(MOST_BACKUPS);
                let dropped = self.backups.drain(..too_many);
                self.stale
                    .extend(dropped.map(|(version, _)| slot::backup(version)));
            }
            Step::Try(trying) => self.trying = Some(*trying),
            Step::Settle => self.settle(),
            Step::Mended => self.damage = None,
            Step::Reset => {
                self.reset = None;
                self.requested = false;
                self.backups.clear();
            }
            Step::Tell(note) => self.notes.push_back(note),
        }
        Ok(())
    }

    fn saved(&mut self, record: Record) {
        if self.refusal.is_some() && record.refused == self.refusal {
            self.refusal = None;
        }
        let unused = self
            .record
            .slots()
            .filter(|slot| !record.slots().any(|used| used == *slot));
        self.stale.extend(unused.map(slot::directory));
        if record
            .trial
            .as_ref()
            .is_none_or(|trial| trial.failed.is_some())
        {
            self.verdict = None;
        }
        self.record = record;
    }

    fn settle(&mut self) {
        if let Some(trying) = self.trying.take() {
            self.values = Some(trying.values);
            self.held = trying.statements;
        }
    }

    /// A clock that was put back must not make it wait for ever.
    fn is_patient(&self, now: Timestamp) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|t| now < t.until && t.until.since(now) <= t.pause)
    }

    fn put_off(&mut self, why: &io::Error, now: Timestamp) {
        let words = format!("the configuration can't be stored: {why}");
        let before = self.trouble.take();
        if before.as_ref().is_none_or(|before| before.words != words) {
            let told = format!("{words}; what is in force stays, and it is tried again");
            self.notes.push_back(Note::bad(told));
        }
        let pause = before
            .as_ref()
            .map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        self.trouble = Some(Trouble {
            words,
            since: before.map_or(now, |before| before.since),
            until: now + pause,
            pause,
        });
    }
}
