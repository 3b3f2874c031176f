//! How it goes, while it goes.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar};

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
    told: Duration,
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
            told: Duration::ZERO,
        }
    }

    /// Shows how it stands.
    pub fn show(&mut self, standing: &Standing<'_>) {
        let line = line(self.what, standing);
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.done(standing));
                bar.set_message(line);
            }
            None if standing.lasted >= self.told + EVERY => {
                self.told = standing.lasted;
                let (done, total) = (HumanCount(self.done(standing)), HumanCount(self.total));
                say!("{} s: {done}/{total} {line}", standing.lasted.as_secs());
            }
            None => {}
        }
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

fn line(what: &str, standing: &Standing<'_>) -> String {
    let failed: u64 = standing.totals.failed.values().sum();
    match standing.totals.timeline.last() {
        Some(now) if now.rate_per_s < 0.05 => {
            format!("{what}, no answers, {} failed", HumanCount(failed))
        }
        Some(now) => format!(
            "{what}, {:.0} answers/s, p50 {:.1} ms, p99 {:.1} ms, {} failed",
            now.rate_per_s,
            now.p50_ms,
            now.p99_ms,
            HumanCount(failed)
        ),
        None => what.to_owned(),
    }
}
