//! A configuration on its way into force, and back.

use enlist_config::diff;
use enlist_core::Timestamp;
use enlist_wire::ConfigurationNumbers as Numbers;
use serde_json::{Value, json};

use super::candidate::{Candidate, file};
use super::change_log::Entry;
use super::keeper::Trying;
use super::plan::Plan;
use super::record::{Because, InForce, Refusal, Trial};
use super::slot::{self, digest};
use super::step::Step;
use super::{Checked, Keeper, Note};

/// How often a hook may be begun and not come to an end.
const MOST_ATTEMPTS: u32 = 2;

impl Keeper {
    pub(super) fn begin_trying(
        &self,
        candidate: Candidate,
        wish: Numbers,
        because: Because,
        now: Timestamp,
    ) -> Plan {
        let in_force = self.record.in_force.as_ref();
        let slot = self.record.last_slot + 1;
        let to = InForce {
            slot,
            numbers: candidate.numbers,
            schema_version: candidate.schema_version,
            digest: digest(&candidate.file),
            since: now,
            because,
        };
        let is_same = |own: &InForce| {
            (own.numbers, &own.digest, own.schema_version)
                == (to.numbers, &to.digest, to.schema_version)
        };
        if in_force.is_some_and(is_same) {
            return self.save(|record| {
                record.decided = Some(wish);
                record.resetting = None;
                record.refused = None;
            });
        }
        let who = match self.record.resetting {
            Some(by) => by.as_str().to_owned(),
            None => candidate.statements.signers(&self.keys),
        };
        // Left by an attempt that the power or a full disk ended.
        let mut plan = Plan::from([Step::Remove(slot::directory(slot))]);
        for (kind, json) in candidate.statements.files() {
            plan.push_back(Step::Write(
                format!("{}/{}", slot::directory(slot), kind.file()),
                json,
            ));
        }
        let values = serde_json::from_slice(&candidate.file).unwrap_or(Value::Null);
        plan.push_back(Step::Write(slot::config(slot), candidate.file));
        let before = in_force.map(|own| own.slot);
        plan.push_back(self.saving(|record| {
            record.last_slot = slot;
            record.trial = Some(Trial {
                to,
                wish,
                who,
                attempts: 1,
                failed: None,
                returned: false,
            });
        }));
        plan.extend([
            Step::Try(Box::new(Trying {
                values,
                schema: Some(candidate.schema),
                statements: candidate.statements,
            })),
            Step::Point(slot),
            Step::Check { slot, before },
        ]);
        plan
    }

    pub(super) fn go_on_trying(&self, trial: &Trial, now: Timestamp) -> Plan {
        if let Some(refusal) = &trial.failed {
            return self.go_back(trial, refusal);
        }
        let fail = |reason, detail: &str| {
            let refusal = Refusal::new(trial.to.numbers, reason, detail, now);
            self.save(|record| {
                if let Some(trial) = &mut record.trial {
                    trial.failed = Some(refusal);
                }
            })
        };
        let Some(trying) = &self.trying else {
            // What was to be tried is damaged: it is made again from the start.
            return self.save(|record| {
                record.trial = None;
                record.decided = None;
            });
        };
        match &self.verdict {
            Some(Checked::Good) => self.put_into_force(trial, trying, now),
            Some(Checked::Failed(why)) => fail("hook-failed", why),
            Some(Checked::TookTooLong) => fail(
                "hook-timeout",
                "the hook did not come to an end in its time",
            ),
            None if trial.attempts >= MOST_ATTEMPTS => fail(
                "hook-crashed",
                "while the hook ran, the agent or the device went down, twice",
            ),
            None => {
                let mut plan = self.save(|record| {
                    if let Some(trial) = &mut record.trial {
                        trial.attempts += 1;
                    }
                });
                let before = self.record.in_force.as_ref().map(|own| own.slot);
                let slot = trial.to.slot;
                plan.extend([Step::Point(slot), Step::Check { slot, before }]);
                plan
            }
        }
    }

    fn put_into_force(&self, trial: &Trial, trying: &Trying, now: Timestamp) -> Plan {
        let before = self.record.in_force.as_ref();
        let mut plan = Plan::new();
        if let Some((own, values)) = before.zip(self.values.as_ref())
            && own.schema_version < trial.to.schema_version
        {
            plan.extend(self.back_up(own.schema_version, values));
        }
        let nothing = json!({});
        let from = self.values.as_ref().unwrap_or(&nothing);
        let changes = trying
            .schema
            .as_ref()
            .map(|schema| diff(schema, from, &trying.values));
        plan.push_back(Step::Log(Box::new(Entry {
            at: now,
            who: trial.who.clone(),
            deed: trial.to.because.as_str(),
            number: trial.to.slot,
            changes: changes.unwrap_or_default(),
            why: None,
        })));
        plan.push_back(self.saving(|record| {
            record.previous = record.in_force.take();
            record.in_force = Some(InForce {
                since: now,
                ..trial.to.clone()
            });
            record.trial = None;
            record.decided = Some(trial.wish);
            record.refused = None;
            record.resetting = None;
        }));
        plan.extend([
            Step::Settle,
            Step::Tell(Note::in_force(&trial.to, &trial.who)),
        ]);
        plan
    }

    fn back_up(&self, version: u32, values: &Value) -> Plan {
        let home = slot::backup(version);
        let mut plan = Plan::from([Step::Remove(home.clone())]);
        for (kind, json) in self.held.files() {
            plan.push_back(Step::Write(format!("{home}/{}", kind.file()), json));
        }
        plan.push_back(Step::Write(format!("{home}/config.json"), file(values)));
        plan.push_back(Step::Backed(version, Box::new(self.held.clone())));
        plan
    }

    fn go_back(&self, trial: &Trial, refusal: &Refusal) -> Plan {
        let mut plan = Plan::new();
        let from = trial.to.slot;
        match &self.record.in_force {
            Some(own) => {
                if self.points_at != Some(own.slot) {
                    plan.push_back(Step::Point(own.slot));
                }
                if !trial.returned {
                    // Once: it may be this hook that takes the device down.
                    plan.push_back(self.saving(|record| {
                        if let Some(trial) = &mut record.trial {
                            trial.returned = true;
                        }
                    }));
                    plan.push_back(Step::Return {
                        slot: own.slot,
                        from,
                    });
                    return plan;
                }
            }
            None if self.points_at.is_some() => plan.push_back(Step::Unlink),
            None => {}
        }
        plan.push_back(self.refusal_entry(refusal, from));
        plan.push_back(self.saving(|record| {
            record.trial = None;
            record.refused = Some(refusal.clone());
            record.decided = Some(trial.wish);
            record.resetting = None;
        }));
        plan.push_back(Step::Tell(Note::refused(refusal)));
        plan
    }
}
