//! How it goes, while it goes.

use std::io::IsTerminal;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{HumanCount, ProgressBar};

use super::ledger::{as_f64, histogram, quantile_ms};
use super::phase::Standing;
use crate::progress;
use crate::say::say;

/// Without a terminal, a line so often.
const EVERY: Duration = Duration::from_secs(5);

/// Shows how a phase goes: a bar on a terminal, a line now and then elsewhere.
pub struct Watch {
    what: &'static str,
    total: u64,
    /// Whether all are at it all the time, and none comes to an end.
    is_endless: bool,
    bar: Option<ProgressBar>,
    /// When it was told last, and how long all answers until then took.
    told: (Duration, Histogram<u64>),
}

impl Watch {
    /// Shows how `total` devices do `what`.
    pub fn new(total: u64, what: &'static str, is_endless: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self {
            what,
            total,
            is_endless,
            bar: is_terminal.then(|| progress::short_bar(total, what)),
            told: (Duration::ZERO, histogram()),
        }
    }

    /// Shows how it stands.
    pub fn show(&mut self, standing: &Standing<'_>) {
        if self.bar.is_none() && standing.lasted < self.told.0 + EVERY {
            return;
        }
        let line = self.line(standing);
        let done = self.done(standing);
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(line);
        } else {
            let (done, total) = (HumanCount(done), HumanCount(self.total));
            say!("{} s: {done}/{total} {line}", standing.lasted.as_secs());
        }
    }

    /// What has been done since it was told last.
    fn line(&mut self, standing: &Standing<'_>) -> String {
        let (from, before) = (self.told.0, &self.told.1);
        let all = standing.totals.times();
        let mut since = all.clone();
        // Of what was answered before nothing is lost, so this goes.
        let _ = since.subtract(before);
        let lasted = standing
            .lasted
            .saturating_sub(from)
            .as_secs_f64()
            .max(0.001);
        self.told = (standing.lasted, all);
        let what = self.what;
        let failed = HumanCount(standing.totals.failed.values().sum());
        if since.is_empty() {
            return format!("{what}, no answers, {failed} failed");
        }
        format!(
            "{what}, {:.0} answers/s, p50 {:.1} ms, p99 {:.1} ms, {failed} failed",
            as_f64(since.len()) / lasted,
            quantile_ms(&since, 0.5),
            quantile_ms(&since, 0.99),
        )
    }

    fn done(&self, standing: &Standing<'_>) -> u64 {
        if self.is_endless {
            self.total
        } else {
            standing.done
        }
    }

    /// Takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
