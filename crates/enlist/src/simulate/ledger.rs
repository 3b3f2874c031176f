//! What was asked of the server, and how that went.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use enlist_agent::machine::Failure;
use hdrhistogram::Histogram;

/// What a device asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// To enroll.
    Enroll,
    /// To renew.
    Renew,
    /// To report, and for what there is.
    Poll,
    /// For a nonce, to renew by token and key.
    Nonce,
    /// Anything else.
    Other,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Enroll,
        Self::Renew,
        Self::Poll,
        Self::Nonce,
        Self::Other,
    ];

    /// What it is called in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Renew => "renew",
            Self::Poll => "poll",
            Self::Nonce => "nonce",
            Self::Other => "other",
        }
    }
}

/// What the devices have asked since it was last collected. Many threads write to it, so it is in parts.
#[derive(Debug)]
pub struct Ledger(Vec<Mutex<Entries>>);

/// What a part of the ledger holds.
#[derive(Debug, Default)]
pub struct Entries {
    answered: Vec<(Op, u32)>,
    failed: Vec<(Op, String)>,
    retries: u64,
    late: Vec<u32>,
}

impl Ledger {
    /// An empty ledger in so many parts.
    pub fn new(parts: usize) -> Self {
        Self((0..parts.max(1)).map(|_| Mutex::default()).collect())
    }

    /// An exchange took `time`, and came to this.
    pub fn asked<T>(&self, part: usize, op: Op, time: Duration, outcome: &Result<T, Failure>) {
        self.write(part, |entries| match outcome {
            Ok(_) => entries.answered.push((op, micros(time))),
            Err(failure) => {
                entries.retries += u64::from(failure.may_pass());
                let slug = failure.slug.as_deref().unwrap_or(NO_ANSWER);
                entries.failed.push((op, slug.to_owned()));
            }
        });
    }

    /// A device's turn came so much later than it was due.
    pub fn late(&self, part: usize, time: Duration) {
        self.write(part, |entries| entries.late.push(micros(time)));
    }

    fn write(&self, part: usize, change: impl FnOnce(&mut Entries)) {
        if let Some(part) = self.0.get(part % self.0.len()) {
            change(&mut part.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// What stands for a slug where the server did not answer, or not as itself.
const NO_ANSWER: &str = "no-answer";

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// The sums of a ledger.
#[derive(Debug, Default)]
pub struct Totals {
    /// How long answers took, by what was asked: microseconds.
    pub answered: BTreeMap<Op, Histogram<u64>>,
    /// How many exchanges failed, by what was asked.
    pub failed: BTreeMap<Op, u64>,
    /// The same by the slug of the problem.
    pub slugs: BTreeMap<String, u64>,
    /// How many of the failures may pass, so that they are tried again.
    pub retries: u64,
    /// How much later than due the devices had their turns: microseconds.
    pub late: Option<Histogram<u64>>,
    /// Second by second.
    pub timeline: Vec<Second>,
}

/// A second of the run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Second {
    /// When it ended, in seconds since the run began.
    pub t_s: f64,
    /// Exchanges that were answered, a second.
    pub rate_per_s: f64,
    /// Half of the answers took no longer, milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers took no longer, milliseconds.
    pub p99_ms: f64,
    /// Exchanges that failed.
    pub failed: u64,
}

impl Totals {
    /// Takes what has gathered in the ledger, as what happened between two points in time, which are
    /// given in seconds since the run began.
    pub fn collect(&mut self, ledger: &Ledger, from: f64, to: f64) {
        let mut second = histogram();
        let failed = self.take(ledger, &mut second);
        let lasted = (to - from).max(0.001);
        self.timeline.push(Second {
            t_s: to,
            rate_per_s: as_f64(second.len()) / lasted,
            p50_ms: quantile_ms(&second, 0.5),
            p99_ms: quantile_ms(&second, 0.99),
            failed,
        });
    }

    /// Takes what is left in the ledger, and puts it on no second's account.
    pub fn sweep(&mut self, ledger: &Ledger) {
        self.take(ledger, &mut histogram());
    }

    fn take(&mut self, ledger: &Ledger, second: &mut Histogram<u64>) -> u64 {
        let mut failed = 0;
        for part in &ledger.0 {
            let entries = std::mem::take(&mut *part.lock().unwrap_or_else(PoisonError::into_inner));
            for (op, micros) in entries.answered {
                let known = self.answered.entry(op).or_insert_with(histogram);
                known.saturating_record(micros.into());
                second.saturating_record(micros.into());
            }
            for (op, slug) in entries.failed {
                failed += 1;
                *self.failed.entry(op).or_default() += 1;
                *self.slugs.entry(slug).or_default() += 1;
            }
            self.retries += entries.retries;
            let late = self.late.get_or_insert_with(histogram);
            for micros in entries.late {
                late.saturating_record(micros.into());
            }
        }
        failed
    }

    /// How long answers took, whatever was asked: microseconds.
    pub fn times(&self) -> Histogram<u64> {
        let mut all = histogram();
        for times in self.answered.values() {
            // All have the same bounds.
            let _ = all.add(times);
        }
        all
    }

    /// How many exchanges were answered.
    pub fn count(&self) -> u64 {
        self.answered.values().map(Histogram::len).sum()
    }
}

/// From a microsecond to more than an hour, to three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, u64::from(u32::MAX), 3).expect("these bounds are lawful")
}

/// Milliseconds below which this share of the times lies; 0 where there are none.
pub fn quantile_ms(times: &Histogram<u64>, share: f64) -> f64 {
    if times.is_empty() {
        return 0.0;
    }
    as_f64(times.value_at_quantile(share)) / 1000.0
}

/// A count as something to divide by.
#[allow(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 nobody counts single ones"
)]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_adds_up_over_its_parts() {
        let ledger = Ledger::new(4);
        for n in 0..100_u32 {
            let time = Duration::from_millis(u64::from(n) + 1);
            ledger.asked(n as usize, Op::Poll, time, &Ok(()));
        }
        let mut busy = Failure::retry("later");
        busy.slug = Some("busy".into());
        ledger.asked::<()>(1, Op::Renew, Duration::ZERO, &Err(busy));
        ledger.asked::<()>(2, Op::Renew, Duration::ZERO, &Err(Failure::give_up("no")));
        let mut totals = Totals::default();
        totals.collect(&ledger, 1.0, 3.0);
        totals.collect(&ledger, 3.0, 4.0);
        assert_eq!(totals.count(), 100);
        assert_eq!((totals.failed[&Op::Renew], totals.retries), (2, 1));
        assert_eq!(totals.slugs["busy"], 1);
        assert_eq!(totals.slugs[NO_ANSWER], 1);
        let p99 = quantile_ms(&totals.answered[&Op::Poll], 0.99);
        assert!((98.0..=100.0).contains(&p99), "{p99}");
        assert!((totals.timeline[0].rate_per_s - 50.0).abs() < 0.01);
        assert!(totals.timeline[1].rate_per_s < 0.01, "taken once");
    }
}
