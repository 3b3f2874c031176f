//! What is found at a start, and what of it is still good.

use std::collections::VecDeque;
use std::fmt;

use enlist_config::Schema;
use enlist_core::Timestamp;
use enlist_pki::PublicKey;
use serde_json::Value;

use super::candidate::candidate;
use super::keeper::Trying;
use super::record::{Because, InForce, Record};
use super::slot::{self, CURRENT, HOME, KNOWN, REQUEST, STATE, STATE_COPY, digest, statements};
use super::statements::Statements;
use super::{Keeper, Note, ResetBy};
use crate::disk::Disk;

/// What is wrong with the configuration in force.
pub(super) enum Damage {
    /// Some of its files are; these are what they were.
    Rewrite(Vec<(String, Vec<u8>)>),
    /// It is gone; the one before it, where that is whole.
    Lost {
        before: Option<Box<(Value, Statements)>>,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rewrite(_) => "a file of what is in force is damaged, and can be made again",
            Self::Lost { before: Some(_) } => {
                "what is in force is damaged; the one before it is whole"
            }
            Self::Lost { before: None } => {
                "what is in force is damaged, and nothing is whole before it"
            }
        })
    }
}

impl Keeper {
    /// Takes up what is kept on `disk`. `keys` are those that may sign configuration for this device.
    ///
    /// It never fails: what is damaged is mended by the steps that follow, from what is still good.
    pub fn open<D: Disk>(disk: &D, keys: Vec<PublicKey>, now: Timestamp) -> Self {
        let mut notes = VecDeque::new();
        let target = disk.target(CURRENT).ok().flatten();
        let points_at = target.and_then(|target| target.parse().ok());
        let names = disk.list(HOME).unwrap_or_default();
        let record = match record(disk) {
            Some(record) => record,
            None => {
                let found = found_without_record(disk, points_at, &names, &keys, now);
                if found.in_force.is_some() {
                    notes.push_back(Note::bad("the record of the configuration was lost; what is in force was found by its link"));
                }
                found
            }
        };
        let mut known = statements(disk, KNOWN, &keys);
        for slot in record.slots() {
            known = known.newest(statements(disk, &slot::directory(slot), &keys));
        }
        let mut keeper = Self {
            known,
            backups: backups(disk, &names, &keys),
            values: None,
            held: Statements::default(),
            trying: None,
            incoming: None,
            refusal: None,
            reset: None,
            requested: false,
            verdict: None,
            damage: None,
            points_at,
            stale: stale(&names, &record),
            plan: VecDeque::new(),
            notes,
            trouble: None,
            record,
            keys,
        };
        if !disk.list(REQUEST).unwrap_or_default().is_empty() {
            keeper.requested = true;
            let by = disk.read(&format!("{REQUEST}/by")).ok().flatten();
            let by = by.and_then(|by| serde_json::from_slice(&by).ok());
            keeper.reset(by.unwrap_or(ResetBy::CommandLine));
        }
        keeper.look_at_what_is_in_force(disk);
        keeper.look_at_what_is_tried(disk);
        keeper
    }

    fn look_at_what_is_in_force<D: Disk>(&mut self, disk: &D) {
        let Some(in_force) = self.record.in_force.clone() else {
            return;
        };
        let home = slot::directory(in_force.slot);
        let held = statements(disk, &home, &self.keys);
        let is_whole = held.numbers() == in_force.numbers;
        // What is damaged in the slot may be whole among what is known.
        let again = held
            .clone()
            .newest(self.known.clone())
            .only(in_force.numbers);
        if let Some(file) = intact(disk, &in_force) {
            self.values = serde_json::from_slice(&file).ok();
            if is_whole {
                self.held = held;
            } else if again.numbers() == in_force.numbers {
                self.damage = Some(Damage::Rewrite(files(&home, &again, file)));
                self.held = again;
            } else {
                self.held = held;
                self.notes.push_back(Note::bad(
                    "the statements of the configuration in force are damaged, or signed by a key \
                     that is not among `public_keys` any more; it stays in force, state it anew",
                ));
            }
            return;
        }
        let made = [held.only(in_force.numbers), again]
            .into_iter()
            .filter_map(|statements| candidate(&statements, &self.backups).ok())
            .find(|made| digest(&made.file) == in_force.digest);
        self.damage = Some(match made {
            Some(made) => {
                self.values = serde_json::from_slice(&made.file).ok();
                self.held = made.statements.clone();
                Damage::Rewrite(files(&home, &made.statements, made.file))
            }
            None => Damage::Lost {
                before: self.record.previous.as_ref().and_then(|previous| {
                    let values = serde_json::from_slice(&intact(disk, previous)?).ok()?;
                    let home = slot::directory(previous.slot);
                    Some(Box::new((values, statements(disk, &home, &self.keys))))
                }),
            },
        });
    }

    fn look_at_what_is_tried<D: Disk>(&mut self, disk: &D) {
        let Some(trial) = &self.record.trial else {
            return;
        };
        let statements = statements(disk, &slot::directory(trial.to.slot), &self.keys);
        let values = intact(disk, &trial.to).and_then(|file| serde_json::from_slice(&file).ok());
        let schema = statements.schema.as_ref();
        let schema = schema.and_then(|held| Schema::parse(&held.statement.schema).ok());
        if let (Some(values), Some(schema)) = (values, schema) {
            self.trying = Some(Trying {
                values,
                schema: Some(schema),
                statements,
            });
        }
    }
}

/// The file of this configuration, where it is as it was written.
pub(super) fn intact<D: Disk>(disk: &D, of: &InForce) -> Option<Vec<u8>> {
    let file = disk.read(&slot::config(of.slot)).ok().flatten()?;
    (digest(&file) == of.digest).then_some(file)
}

/// What belongs into the slot at `home`, and where.
fn files(home: &str, statements: &Statements, config: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let envelopes = statements.files().into_iter();
    envelopes
        .map(|(kind, json)| (format!("{home}/{}", kind.file()), json))
        .chain([(format!("{home}/config.json"), config)])
        .collect()
}

/// The later of the two copies that is whole.
fn record<D: Disk>(disk: &D) -> Option<Record> {
    let read = |path| Record::from_json(&disk.read(path).ok().flatten()?);
    let both = [read(STATE), read(STATE_COPY)];
    both.into_iter()
        .flatten()
        .max_by_key(|record| record.generation)
}

/// Without a record, what the link points at is believed if its statements give it.
fn found_without_record<D: Disk>(
    disk: &D,
    points_at: Option<u64>,
    names: &[String],
    keys: &[PublicKey],
    now: Timestamp,
) -> Record {
    let slots = names.iter().filter_map(|name| name.parse::<u64>().ok());
    let mut record = Record {
        last_slot: slots.max().unwrap_or(0),
        ..Record::default()
    };
    let Some(slot) = points_at else {
        return record;
    };
    let held = statements(disk, &slot::directory(slot), keys);
    let file = disk.read(&slot::config(slot)).ok().flatten();
    if let (Ok(again), Some(file)) = (candidate(&held, &[]), file)
        && again.file == file
    {
        record.seen = again.numbers;
        record.in_force = Some(InForce {
            slot,
            numbers: again.numbers,
            schema_version: again.schema_version,
            digest: digest(&file),
            since: now,
            because: Because::RolledBack,
        });
    }
    record
}

fn backups<D: Disk>(disk: &D, names: &[String], keys: &[PublicKey]) -> Vec<(u32, Statements)> {
    let versions = names
        .iter()
        .filter_map(|name| name.strip_prefix("backup-v")?.parse::<u32>().ok());
    versions
        .map(|version| (version, statements(disk, &slot::backup(version), keys)))
        .collect()
}

/// Slots that the record does not speak of: the power went before it did, or after.
fn stale(names: &[String], record: &Record) -> Vec<String> {
    names
        .iter()
        .filter_map(|name| name.parse::<u64>().ok())
        .filter(|slot| !record.slots().any(|used| used == *slot))
        .map(slot::directory)
        .collect()
}
