//! What comes next, from what is durable.

use std::collections::VecDeque;

use enlist_core::Timestamp;
use enlist_wire::ConfigurationNumbers as Numbers;

use super::candidate::candidate;
use super::change_log::Entry;
use super::keeper::Trying;
use super::load::Damage;
use super::record::{Because, InForce, Record, Refusal};
use super::slot::{self, KNOWN, REQUEST};
use super::step::Step;
use super::{Keeper, Note};

pub(super) type Plan = VecDeque<Step>;

impl Keeper {
    /// Whether there is anything to do.
    pub(super) fn has_work(&self) -> bool {
        !self.make_plan(Timestamp::from_secs(0)).is_empty()
    }

    /// The next things to do, in order; none when all is as it should be.
    pub(super) fn make_plan(&self, now: Timestamp) -> Plan {
        if let Some(refusal) = &self.refusal {
            return self.save(|record| record.refused = Some(refusal.clone()));
        }
        if let Some(damage) = &self.damage {
            return self.mend(damage, now);
        }
        if let Some(trial) = &self.record.trial {
            return self.go_on_trying(trial, now);
        }
        if let Some(by) = self.reset {
            let mut plan = self.save(|record| {
                record.reset = record.seen;
                record.resetting = (record.seen.schema > 0).then_some(by);
                record.decided = None;
                record.refused = None;
            });
            plan.extend(
                self.backups
                    .iter()
                    .map(|(v, _)| Step::Remove(slot::backup(*v))),
            );
            if self.requested {
                plan.push_back(Step::Remove(REQUEST.into()));
            }
            plan.push_back(Step::Reset);
            return plan;
        }
        if self.incoming.is_some() {
            return self.take_in();
        }
        match &self.record.in_force {
            Some(own) if self.points_at != Some(own.slot) => return [Step::Point(own.slot)].into(),
            None if self.points_at.is_some() => return [Step::Unlink].into(),
            _ => {}
        }
        if let Some(plan) = self.decide(now) {
            return plan;
        }
        self.stale
            .iter()
            .cloned()
            .map(Step::Remove)
            .take(1)
            .collect()
    }

    pub(super) fn save(&self, change: impl FnOnce(&mut Record)) -> Plan {
        [self.saving(change)].into()
    }

    pub(super) fn saving(&self, change: impl FnOnce(&mut Record)) -> Step {
        let mut record = self.record.clone();
        record.generation += 1;
        record.seen = highest(record.seen, self.known.numbers());
        change(&mut record);
        Step::Save(Box::new(record))
    }

    fn mend(&self, damage: &Damage, now: Timestamp) -> Plan {
        let Some(in_force) = &self.record.in_force else {
            return [Step::Mended].into();
        };
        if let Damage::Rewrite(files) = damage {
            let words = "the configuration in force was damaged, and was made again";
            let writes = files.iter().cloned();
            return writes
                .map(|(path, bytes)| Step::Write(path, bytes))
                .chain([Step::Mended, Step::Tell(Note::bad(words))])
                .collect();
        }
        let detail = "the configuration in force was damaged, and could not be made again";
        let refusal = Refusal::new(in_force.numbers, "damaged", detail, now);
        let before = match damage {
            Damage::Lost { before } => before.as_ref(),
            Damage::Rewrite(_) => None,
        };
        let back = before
            .and(self.record.previous.as_ref())
            .map(|previous| InForce {
                since: now,
                because: Because::RolledBack,
                ..previous.clone()
            });
        let before = before.map(|before| Trying {
            values: before.0.clone(),
            schema: None,
            statements: before.1.clone(),
        });
        let mut plan: Plan = before
            .into_iter()
            .map(|one| Step::Try(Box::new(one)))
            .collect();
        let told = Note::refused(&refusal);
        plan.push_back(self.saving(|record| {
            record.in_force = back;
            record.previous = None;
            record.decided = None;
            record.refused = Some(refusal);
        }));
        plan.extend([Step::Settle, Step::Mended, Step::Tell(told)]);
        plan
    }

    /// Writes what was offered beside what is known.
    fn take_in(&self) -> Plan {
        let Some((new, who)) = &self.incoming else {
            return Plan::new();
        };
        let stays = self.record.whose.as_ref().is_none_or(|whose| whose == who);
        let mut plan = Plan::new();
        if !stays {
            plan.push_back(Step::Remove(KNOWN.into()));
            plan.extend(
                self.backups
                    .iter()
                    .map(|(v, _)| Step::Remove(slot::backup(*v))),
            );
        }
        for (kind, json) in new.files() {
            plan.push_back(Step::Write(format!("{KNOWN}/{}", kind.file()), json));
        }
        let known = if stays {
            self.known.overlaid_by(new)
        } else {
            new.clone()
        };
        plan.push_back(self.saving(|record| {
            record.whose = Some(who.clone());
            if stays {
                record.seen = highest(record.seen, new.numbers());
            } else {
                record.seen = new.numbers();
                record.reset = Numbers::default();
                record.resetting = None;
                record.decided = None;
            }
        }));
        plan.push_back(Step::Learn {
            known: Box::new(known),
            anew: !stays,
        });
        plan
    }

    /// Puts what is wished into a slot to try it, or refuses it. `None` when that was decided before.
    fn decide(&self, now: Timestamp) -> Option<Plan> {
        let mut because = match self.record.resetting {
            Some(_) => Because::Reset,
            None => Because::Applied,
        };
        let mut wished = self.wished();
        if self.has_lost() {
            // What is in force stays until the rest has come again; where nothing is, defaults are better.
            if self.record.in_force.is_some() || self.known.schema.is_none() {
                return None;
            }
            (wished.group, wished.device) = (0, 0);
            because = Because::RolledBack;
        }
        if wished == Numbers::default() || self.record.decided == Some(wished) {
            return None;
        }
        Some(match candidate(&self.known.only(wished), &self.backups) {
            Ok(candidate) => self.begin_trying(candidate, wished, because, now),
            Err(unfit) => {
                let refusal = Refusal::new(wished, unfit.reason, &unfit.detail, now);
                let log = self.refusal_entry(&refusal, self.record.generation + 1);
                let told = Note::refused(&refusal);
                [
                    log,
                    self.saving(|record| {
                        record.refused = Some(refusal);
                        record.decided = Some(wished);
                        record.resetting = None;
                    }),
                    Step::Tell(told),
                ]
                .into()
            }
        })
    }

    pub(super) fn refusal_entry(&self, refusal: &Refusal, number: u64) -> Step {
        Step::Log(Box::new(Entry {
            at: refusal.at,
            who: "agent".into(),
            deed: "refused",
            number,
            changes: Vec::new(),
            why: Some(format!("{}: {}", refusal.reason, refusal.detail)),
        }))
    }
}

fn highest(one: Numbers, other: Numbers) -> Numbers {
    Numbers {
        schema: one.schema.max(other.schema),
        group: one.group.max(other.group),
        device: one.device.max(other.device),
    }
}
