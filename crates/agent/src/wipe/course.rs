use std::time::Duration;

use enlist_core::{Rng, Timestamp};
use enlist_signed::{Erasure, OrderedBy};

use super::{Delivery, Journal, Note, Outcome, Step};
use crate::machine::{Failure, Verdict};

/// How often the server is told at most before the wipe goes on without it.
const TELL: u32 = 4;
/// How often it is tried to sign, which takes about an hour: the token may be plugged in again. After that
/// the key is rather destroyed than kept.
const SIGN: u32 = 20;
/// How often it is tried to destroy the keys before the receipt is handed in first, which revokes them.
const DESTROY: u32 = 5;
/// The longest wait between two tries of what the device does by itself.
const LONGEST: Duration = Duration::from_secs(300);
/// The longest wait between two tries to tell the server.
const LONGEST_TELL: Duration = Duration::from_secs(15);
/// A server can't send a device to sleep for longer than this.
const LONGEST_WISH: Duration = Duration::from_secs(86_400);

/// Decides what comes next in a wipe. It does nothing itself: whoever drives it carries out
/// [`Course::next`] and says in [`Course::on`] what came of it.
#[derive(Clone, Debug)]
pub struct Course {
    journal: Journal,
    /// The longest wait between two tries to hand in the receipt.
    polling: Duration,
    memory: Memory,
}

/// What a restart may forget.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// The journal as it is to be written next.
    owed: Option<Box<Journal>>,
    doing: Option<Doing>,
    /// Failures of what is being done, one after another.
    failures: u32,
    said: Option<Failure>,
    /// Since when and until when to wait.
    waiting: Option<(Timestamp, Timestamp)>,
    told: bool,
    no_receipt: bool,
    keys_put_off: bool,
    copied: bool,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Tell,
    Sign,
    DestroyKeys,
    HandIn,
    Other,
}

impl Course {
    /// Goes on where `journal` left off. `polling` is the longest wait between two tries to hand in the
    /// receipt.
    #[must_use]
    pub fn new(journal: Journal, polling: Duration) -> Self {
        Self {
            journal,
            polling,
            memory: Memory::default(),
        }
    }

    /// How far it has come, as it is written.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What comes next.
    pub fn next(&mut self, now: Timestamp) -> Step {
        if let Some((since, until)) = self.memory.waiting {
            // A clock that was set back must not make it wait for years.
            if since <= now && now < until {
                return Step::Wait(until);
            }
            self.memory.waiting = None;
        }
        let step = self.decide(now);
        let doing = match &step {
            Step::Tell(_) => Doing::Tell,
            Step::Sign(..) => Doing::Sign,
            Step::DestroyKeys => Doing::DestroyKeys,
            Step::HandIn(_) => Doing::HandIn,
            _ => Doing::Other,
        };
        if self.memory.doing.replace(doing) != Some(doing) {
            self.memory.failures = 0;
        }
        step
    }

    fn decide(&self, now: Timestamp) -> Step {
        let (journal, memory) = (&self.journal, &self.memory);
        if memory.closed {
            return Step::Done;
        }
        if let Some(owed) = &memory.owed {
            return Step::Save(owed.clone());
        }
        let Some(plan) = &journal.plan else {
            return match &journal.who {
                Some(who) if self.should_tell() => Step::Tell(who.clone()),
                _ => Step::Survey,
            };
        };
        if let Some(next) = plan.iter().find(|planned| planned.result.is_none()) {
            return Step::Erase(next.thing.clone());
        }
        if journal.receipt.is_none()
            && !journal.keys_gone
            && !memory.no_receipt
            && let Some(statement) = journal.statement(now)
            && let Some(who) = &journal.who
        {
            return Step::Sign(Box::new(statement), who.slot);
        }
        let to_hand_in = journal
            .receipt
            .as_ref()
            .filter(|_| journal.delivery.is_none());
        match to_hand_in {
            Some(receipt) if journal.keys_gone || memory.keys_put_off => {
                Step::HandIn(Box::new(receipt.clone()))
            }
            _ if !journal.keys_gone => Step::DestroyKeys,
            _ => match &journal.receipt {
                Some(receipt) if self.wants_copy() => Step::Copy(Box::new(receipt.clone())),
                _ => Step::Close,
            },
        }
    }

    /// What came of the last step; says what is worth telling.
    pub fn on(&mut self, outcome: Outcome, now: Timestamp, rng: &dyn Rng) -> Option<Note> {
        if let Outcome::Failed(failure) = outcome {
            return self.failed(failure, now, rng);
        }
        self.memory.said = None;
        self.memory.failures = 0;
        let mut journal = self.journal.clone();
        let note = match outcome {
            Outcome::Told => {
                self.memory.told = true;
                return Some(Note::Told);
            }
            Outcome::Copied => {
                self.memory.copied = true;
                return None;
            }
            Outcome::Closed => {
                self.memory.closed = true;
                return Some(Note::Clean);
            }
            Outcome::Saved => {
                if let Some(saved) = self.memory.owed.take() {
                    self.journal = *saved;
                }
                return None;
            }
            Outcome::Failed(_) => return None,
            Outcome::Surveyed(plan) => {
                journal.plan = Some(plan);
                None
            }
            Outcome::Erased(result) => {
                record(&mut journal, result);
                journal.erased().pop().map(Note::Erased)
            }
            Outcome::Signed(receipt) => {
                journal.receipt = Some(*receipt);
                Some(Note::Signed)
            }
            Outcome::KeysGone => {
                journal.keys_gone = true;
                Some(Note::KeysGone)
            }
            Outcome::Received => {
                journal.delivery = Some(Delivery::Received);
                Some(Note::Received)
            }
        };
        self.memory.owed = Some(Box::new(journal));
        note
    }

    fn failed(&mut self, failure: Failure, now: Timestamp, rng: &dyn Rng) -> Option<Note> {
        self.memory.failures = self.memory.failures.saturating_add(1);
        let failures = self.memory.failures;
        let mut longest = LONGEST;
        match self.memory.doing {
            Some(Doing::Tell) => {
                if failures >= TELL || !failure.may_pass() {
                    self.memory.told = true;
                    return Some(Note::NotTold(failure));
                }
                longest = LONGEST_TELL;
            }
            Some(Doing::Sign) if failures >= SIGN || !failure.may_pass() => {
                self.memory.no_receipt = true;
                return Some(Note::NoReceipt(failure.message));
            }
            Some(Doing::DestroyKeys) => self.memory.keys_put_off |= failures >= DESTROY,
            Some(Doing::HandIn) => {
                // Only the server itself can refuse for good, by a problem of its own.
                if let (Verdict::GiveUp | Verdict::Gone, Some(slug)) =
                    (&failure.verdict, &failure.slug)
                {
                    let why = format!("{} ({slug})", failure.message);
                    let mut journal = self.journal.clone();
                    journal.delivery = Some(Delivery::Refused(why.clone()));
                    self.memory.owed = Some(Box::new(journal));
                    return Some(Note::Refused(why));
                }
                longest = self.polling;
            }
            _ => {}
        }
        let until = now + wait(&failure, failures, longest, rng);
        self.memory.waiting = Some((now, until));
        let again = self.memory.said.as_ref() == Some(&failure);
        self.memory.said = Some(failure.clone());
        Some(Note::Trouble {
            failure,
            again,
            until,
        })
    }

    fn should_tell(&self) -> bool {
        // The server knows of what it has ordered itself.
        self.journal.ordered_by != OrderedBy::Server && !self.memory.told
    }

    fn wants_copy(&self) -> bool {
        let refused = matches!(self.journal.delivery, Some(Delivery::Refused(_)));
        (refused || self.journal.keep_copy) && !self.memory.copied
    }
}

/// What came of the first thing that was not done yet.
fn record(journal: &mut Journal, result: Erasure) {
    let mut plan = journal.plan.iter_mut().flatten();
    if let Some(next) = plan.find(|planned| planned.result.is_none()) {
        // It was erased just before the power went.
        let erased_before = result == Erasure::Absent && next.there;
        next.result = Some(if erased_before {
            Erasure::Erased
        } else {
            result
        });
    }
}

/// From a second on, twice as long each time, up to `longest`, and half of it by chance; or what the
/// server asks for.
fn wait(failure: &Failure, failures: u32, longest: Duration, rng: &dyn Rng) -> Duration {
    let doubled = Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(20));
    let base = match failure.verdict {
        Verdict::Retry(Some(wish)) => wish.min(LONGEST_WISH).max(Duration::from_secs(1)),
        _ => doubled.min(longest) / 2,
    };
    let mut random = [0; 4];
    rng.fill(&mut random);
    let share = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
    base + base.min(longest).mul_f64(share)
}
