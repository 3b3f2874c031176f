//! What is measured.

pub(crate) mod admission;
pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod batches;
pub(crate) mod bulk;
pub(crate) mod enroll;
pub(crate) mod est;
pub(crate) mod memory;
pub(crate) mod ocsp;
pub(crate) mod revocation;
pub(crate) mod ten_million;
pub(crate) mod tpm;

use std::time::Duration;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Rounds, of which the median counts.
    pub(crate) rounds: usize,
    /// Enrollments a round.
    pub(crate) enrollments: usize,
    /// Devices of a bulk creation, and steps of the server's memory.
    pub(crate) devices: [usize; 2],
    /// Times that the agent is started.
    pub(crate) agents: usize,
    /// Certificates on record that are revoked.
    pub(crate) revoked: u64,
    /// Entries of a manifest.
    pub(crate) entries: u64,
    /// Events on record.
    pub(crate) events: u64,
    /// How long an agent with nothing to do is looked at.
    pub(crate) idle: Duration,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        enrollments: 6_000,
        devices: [100_000, 1_000_000],
        agents: 15,
        revoked: 1_000_000,
        entries: 10_000_000,
        events: 1_000_000,
        idle: Duration::from_secs(60),
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        enrollments: 1_500,
        devices: [10_000, 100_000],
        agents: 5,
        revoked: 100_000,
        entries: 100_000,
        events: 100_000,
        idle: Duration::from_secs(10),
    };
    pub(crate) const SMOKE: Self = Self {
        rounds: 1,
        enrollments: 200,
        devices: [500, 1_000],
        agents: 1,
        revoked: 2_000,
        entries: 2_000,
        events: 2_000,
        idle: Duration::from_secs(1),
    };
}

/// Connections at once, wherever there are many.
pub(crate) const CONNECTIONS: usize = 64;

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 100.0]), 3.0);
    }
}
