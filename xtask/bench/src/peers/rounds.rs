//! The same work for each, in turns.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::candidate::{Candidate, Certified};
use super::errands::{self, Errand, Outcome, Way};
use crate::parts::{median, micros};

/// Connections at once.
pub(super) const AT_ONCE: usize = 16;
/// What a server has left to do after its last answer it has done by then.
const SETTLED: Duration = Duration::from_secs(3);

/// The work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    EnrollKept,
    EnrollNew,
    RenewNew,
    RenewKept,
}

impl Work {
    /// In the order in which it is done: those that renew have enrolled before.
    pub(super) const ALL: [Self; 4] = [
        Self::EnrollKept,
        Self::EnrollNew,
        Self::RenewNew,
        Self::RenewKept,
    ];

    fn way(self) -> Way {
        match self {
            Self::EnrollKept => Way::Shared,
            // Whoever renews shows a certificate, so each has a connection of its own.
            Self::RenewKept => Way::Own,
            Self::EnrollNew | Self::RenewNew => Way::New,
        }
    }

    fn renews(self) -> bool {
        matches!(self, Self::RenewNew | Self::RenewKept)
    }

    /// As the table has it.
    pub(super) fn called(self) -> &'static str {
        match self {
            Self::EnrollKept => "enrollment, kept-alive",
            Self::EnrollNew => "enrollment, new TLS 1.3 connection",
            Self::RenewNew => "renewal over mTLS, new connection",
            Self::RenewKept => "renewal over mTLS, kept-alive",
        }
    }
}

/// What rounds came to, one value a round.
#[derive(Debug, Default, Clone)]
pub(super) struct Figures {
    /// Server CPU a certificate, µs.
    pub(super) cpu: Vec<f64>,
    /// Certificates a second.
    pub(super) rate: Vec<f64>,
    /// How long a client waited, ms: half of them, and 99 of 100.
    pub(super) half: Vec<f64>,
    pub(super) slow: Vec<f64>,
}

/// One who is measured, and what was.
pub(super) struct Side {
    pub(super) candidate: Box<dyn Candidate>,
    renews: bool,
    /// One for each of [`Work::ALL`].
    figures: [Figures; 4],
    certified: Vec<Certified>,
}

impl Side {
    pub(super) fn new(candidate: impl Candidate + 'static, renews: bool) -> Self {
        Self {
            candidate: Box::new(candidate),
            renews,
            figures: Default::default(),
            certified: Vec::new(),
        }
    }

    /// The medians of a work; `None` where it is not done.
    pub(super) fn medians(&self, work: Work) -> Option<Medians> {
        let figures = &self.figures[work as usize];
        (!figures.cpu.is_empty()).then(|| Medians {
            cpu: median(figures.cpu.clone()),
            rate: median(figures.rate.clone()),
            half: median(figures.half.clone()),
            slow: median(figures.slow.clone()),
        })
    }

    fn does(&self, work: Work) -> bool {
        self.renews || !work.renews()
    }

    fn errands(&mut self, work: Work, count: usize) -> Result<Vec<Errand>> {
        if work.renews() {
            self.candidate.renewals(&self.certified)
        } else {
            self.candidate.newcomers(count)
        }
    }
}

/// The middle of several rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Medians {
    pub(super) cpu: f64,
    pub(super) rate: f64,
    pub(super) half: f64,
    pub(super) slow: f64,
}

/// So many rounds of so many certificates; one round before them warms up, and does not count.
pub(super) fn run(sides: &mut [Side], rounds: usize, count: usize) -> Result<()> {
    for round in 0..=rounds {
        for work in Work::ALL {
            one(sides, work, round, count)?;
        }
        println!("  round {round} of {rounds} is done");
    }
    Ok(())
}

/// Everybody in turn, another first each time. Their CPU time is read when all are done: what a server
/// does after its last answer counts as well.
fn one(sides: &mut [Side], work: Work, round: usize, count: usize) -> Result<()> {
    let mut outcomes = Vec::new();
    for turn in 0..sides.len() {
        let at = (turn + round) % sides.len();
        let side = &mut sides[at];
        if !side.does(work) {
            continue;
        }
        let errands = side.errands(work, count)?;
        let candidate = &side.candidate;
        let meter = || candidate.cpu();
        let outcome = errands::run(candidate.address(), &errands, work.way(), AT_ONCE, meter)?;
        outcomes.push((at, errands, outcome));
    }
    sleep(SETTLED);
    for (at, errands, outcome) in outcomes {
        let side = &mut sides[at];
        let used = side.candidate.cpu()? - outcome.before;
        if round > 0 {
            side.figures[work as usize].add(&outcome, used);
        }
        side.certified = Certified::of(errands, outcome);
    }
    Ok(())
}

impl Figures {
    fn add(&mut self, outcome: &Outcome, used: Duration) {
        let count = outcome.waits.len();
        let mut waits = outcome.waits.clone();
        waits.sort();
        let millis = |at: usize| waits[at].as_secs_f64() * 1e3;
        self.cpu.push(micros(used) / count as f64);
        self.rate.push(count as f64 / outcome.took.as_secs_f64());
        self.half.push(millis(count / 2));
        self.slow.push(millis(count * 99 / 100));
    }
}
