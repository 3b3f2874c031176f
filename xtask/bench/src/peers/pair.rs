//! Servers that share a PostgreSQL.

use std::thread;
use std::time::Instant;

use anyhow::{Result, bail};

use super::candidate::Candidate;
use super::errands::{self, Errand, Outcome, Way};
use super::rounds::AT_ONCE;
use super::this::This;
use crate::parts::{median, micros};
use crate::postgres::Postgres;
use crate::scratch;
use crate::served::Served;

/// What the second server takes over from the first: who may do everything, and the key of the keys.
const SHARED: [&str; 3] = ["admin.token", "root.pem", "wrapping.key"];

/// One server on PostgreSQL, and two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// CPU of an enrollment in the server alone, µs.
    pub(super) cpu: f64,
    /// Enrollments a second: by one, by both together.
    pub(super) rate: [f64; 2],
}

/// The same enrollments by one of two servers, and by both at the same time; `None` where PostgreSQL is
/// not installed. It is as durable as it comes.
pub(super) fn measure(rounds: usize, count: usize) -> Result<Option<Pair>> {
    let Some(postgres) = Postgres::start_with(&["fsync=on"]) else {
        return Ok(None);
    };
    let database = postgres.database("bench");
    let mut one = This::of(Served::on(&database, scratch::directory()?)?)?;
    let second = scratch::directory()?;
    for name in SHARED {
        std::fs::copy(one.server.data().join(name), second.path().join(name))?;
    }
    let other = Served::on(&database, second)?;
    let (mut cpu, mut alone, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let errands = one.newcomers(count)?;
        let outcome = send(&one, &one.server, &errands)?;
        let used = one.cpu()? - outcome.before;
        let errands = [one.newcomers(count)?, one.newcomers(count)?];
        let start = Instant::now();
        thread::scope(|scope| {
            let second = scope.spawn(|| send(&one, &other, &errands[1]));
            send(&one, &one.server, &errands[0])?;
            match second.join() {
                Ok(outcome) => outcome.map(drop),
                Err(_) => bail!("the clients of the second panicked"),
            }
        })?;
        let took = start.elapsed().as_secs_f64();
        if round > 0 {
            cpu.push(micros(used) / count as f64);
            alone.push(count as f64 / outcome.took.as_secs_f64());
            both.push(2.0 * count as f64 / took);
        }
    }
    Ok(Some(Pair {
        cpu: median(cpu),
        rate: [median(alone), median(both)],
    }))
}

fn send(meter: &This, server: &Served, errands: &[Errand]) -> Result<Outcome> {
    let meter = || meter.cpu();
    errands::run(server.address, errands, Way::Shared, AT_ONCE, meter)
}
