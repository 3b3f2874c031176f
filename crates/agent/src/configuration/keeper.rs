use std::collections::VecDeque;
use std::time::Duration;

use enlist_config::{MASK, Schema};
use enlist_core::Timestamp;
use enlist_pki::PublicKey;
use enlist_wire::{
    ConfigurationNumbers as Numbers, ConfigurationOffer, ConfigurationRefusal, ConfigurationReport,
    Time,
};
use serde_json::Value;

use super::load::Damage;
use super::offer::Reader;
use super::record::{Record, Refusal};
use super::statements::Statements;
use super::step::Step;
use super::{Checked, DeviceIs, Note, ResetBy};

/// Keeps the device's configuration: takes statements, puts them into force or refuses them, and goes back
/// when they don't go well.
///
/// Nothing happens until [`Keeper::step`] is called.
pub struct Keeper {
    pub(super) keys: Vec<PublicKey>,
    /// As it is on the disk.
    pub(super) record: Record,
    /// The newest authentic statements.
    pub(super) known: Statements,
    /// By the schema version that they were in force with.
    pub(super) backups: Vec<(u32, Statements)>,
    /// The values in force.
    pub(super) values: Option<Value>,
    /// The statements in force.
    pub(super) held: Statements,
    /// What is tried.
    pub(super) trying: Option<Trying>,
    /// Authentic, and not on the disk yet.
    pub(super) incoming: Option<(Statements, DeviceIs)>,
    /// Not on record yet.
    pub(super) refusal: Option<Refusal>,
    pub(super) reset: Option<ResetBy>,
    /// Somebody has left a request for a reset.
    pub(super) requested: bool,
    /// What came of the hook for the one that is tried.
    pub(super) verdict: Option<Checked>,
    pub(super) damage: Option<Damage>,
    /// Where the link for programs points.
    pub(super) points_at: Option<u64>,
    /// Directories that nobody needs any more.
    pub(super) stale: Vec<String>,
    pub(super) plan: VecDeque<Step>,
    pub(super) notes: VecDeque<Note>,
    pub(super) trouble: Option<Trouble>,
}

/// A configuration that is tried, as far as it is needed once it has gone well.
pub(super) struct Trying {
    pub(super) values: Value,
    /// For the log of changes.
    pub(super) schema: Option<Schema>,
    pub(super) statements: Statements,
}

/// The disk says no.
pub(super) struct Trouble {
    pub(super) words: String,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    pub(super) pause: Duration,
}

impl Keeper {
    /// The numbers of the newest statements that are held, refused ones too. One that was lost counts as
    /// not held, so that it comes again.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        self.known.numbers()
    }

    /// What is in force, and what is not; `None` where there was never anything.
    #[must_use]
    pub fn report(&self) -> Option<ConfigurationReport> {
        let refusal = self.refusal.as_ref().or(self.record.refused.as_ref());
        let refused = match (&self.trouble, refusal) {
            (Some(trouble), _) => Some(ConfigurationRefusal {
                numbers: self.numbers(),
                reason: "not-stored".into(),
                detail: trouble.words.clone(),
                at: time(trouble.since),
            }),
            (None, refusal) => refusal.map(|refusal| ConfigurationRefusal {
                numbers: refusal.numbers,
                reason: refusal.reason.clone(),
                detail: refusal.detail.clone(),
                at: time(refusal.at),
            }),
        };
        let in_force = match &self.record.in_force {
            Some(in_force) => in_force,
            None => {
                let refused = refused?;
                return Some(ConfigurationReport {
                    in_force: Numbers::default(),
                    schema_version: 0,
                    digest: String::new(),
                    since: refused.at,
                    because: "none".into(),
                    refused: Some(refused),
                });
            }
        };
        Some(ConfigurationReport {
            in_force: in_force.numbers,
            schema_version: in_force.schema_version,
            digest: in_force.digest.clone(),
            since: time(in_force.since),
            because: in_force.because.as_str().into(),
            refused,
        })
    }

    /// The values in force, secrets and all; `None` where there are none.
    #[must_use]
    pub fn values(&self) -> Option<&Value> {
        self.values.as_ref()
    }

    /// The values in force, fit to be shown: secrets are masked, and everything where the schema that says
    /// what is secret is not there.
    #[must_use]
    pub fn masked_values(&self) -> Option<Value> {
        let values = self.values.as_ref()?;
        let schema = self.held.schema.as_ref();
        let schema = schema.and_then(|held| Schema::parse(&held.statement.schema).ok());
        Some(schema.map_or(MASK.into(), |schema| schema.mask(values, "")))
    }

    /// What is not as it should be with what is kept; empty when all is well.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let notes = self.notes.iter().filter(|note| note.is_trouble());
        let mut findings: Vec<String> = notes.map(ToString::to_string).collect();
        findings.extend(self.damage.as_ref().map(Damage::to_string));
        let in_force = self.record.in_force.as_ref().map(|own| own.slot);
        if self.record.trial.is_none() && self.points_at != in_force {
            findings.push("the link for programs does not point at what is in force".into());
        }
        if self.has_lost() {
            findings.push("a statement that was held is damaged; it is asked for again".into());
        }
        findings
    }

    /// Takes what the server has for this device. What is not believed is refused as a whole; the rest
    /// follows in [`Keeper::step`].
    pub fn offered(&mut self, offer: &ConfigurationOffer, who: &DeviceIs, now: Timestamp) {
        if offer.schema.is_none() && offer.group.is_none() && offer.device.is_none() {
            return;
        }
        // Statements to who this device was before say nothing to who it is.
        let is_ours = self.record.whose.as_ref().is_none_or(|whose| whose == who);
        let reader = Reader {
            keys: &self.keys,
            who,
            seen: if is_ours {
                self.record.seen
            } else {
                Numbers::default()
            },
            known: if is_ours {
                self.known.numbers()
            } else {
                Numbers::default()
            },
            now,
        };
        let before = self.refusal.as_ref().or(self.record.refused.as_ref());
        let digest = reader.digest(offer);
        if before.is_some_and(|refusal| refusal.offer.as_ref() == Some(&digest)) {
            return;
        }
        match reader.read(offer) {
            Ok(new) if new.numbers() == Numbers::default() => {}
            Ok(new) => self.incoming = Some((new, who.clone())),
            // The same trouble in other bytes: somebody signs it anew each time.
            Err(refusal) if before.is_some_and(|before| before.says_the_same(&refusal)) => {}
            Err(refusal) => {
                self.notes.push_back(Note::refused(&refusal));
                self.refusal = Some(refusal);
            }
        }
    }

    /// Goes back to the defaults of the schema. What is known of values now is never taken again, only what
    /// is stated later. It is done once [`Keeper::is_busy`] says so; asking again changes nothing.
    pub fn reset(&mut self, by: ResetBy) {
        self.reset = Some(by);
    }

    /// Whether there is work left, be it work that waits until the disk takes it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.plan.is_empty() || self.has_work()
    }

    /// When what the disk refused is tried again.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.trouble.as_ref().map(|trouble| trouble.until)
    }

    /// What is to be in force: the newest that is known, layers from the last reset on.
    pub(super) fn wished(&self) -> Numbers {
        let (mut wished, reset) = (self.known.numbers(), self.record.reset);
        if wished.group <= reset.group {
            wished.group = 0;
        }
        if wished.device <= reset.device {
            wished.device = 0;
        }
        wished
    }

    /// Whether something that was seen, and counts, is not there any more.
    pub(super) fn has_lost(&self) -> bool {
        let (seen, known, reset) = (self.record.seen, self.known.numbers(), self.record.reset);
        known.schema < seen.schema
            || (known.group < seen.group && seen.group > reset.group)
            || (known.device < seen.device && seen.device > reset.device)
    }
}

fn time(at: Timestamp) -> Time {
    Time::from_secs(at.as_secs())
}
