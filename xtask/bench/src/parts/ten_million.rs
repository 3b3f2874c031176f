//! Ten million devices on PostgreSQL.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::bulk::{create, thousands};
use super::enroll::{Samples, sample};
use super::{Scale, mebibytes, median};
use crate::load::Over;
use crate::newcomers::Newcomers;
use crate::postgres::Postgres;
use crate::scratch;
use crate::served::Served;
use crate::table::{Aim, Table};

/// Devices made in one call.
const A_CALL: usize = 1_000_000;

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    // The most devices of the others' scale, ten times.
    let devices = scale.devices[1] * 10;
    println!("{} devices on PostgreSQL", thousands(devices));
    let postgres = Postgres::start_with(&["fsync=on"]).context("PostgreSQL is not installed")?;
    let server = Served::on(&postgres.database("bench"), scratch::directory()?)?;
    let mut newcomers = server.group("ten")?;
    let empty = enrollments(&server, &mut newcomers, scale)?;
    let mut took = Duration::ZERO;
    let mut made = 0;
    while made < devices {
        let count = A_CALL.min(devices - made);
        took += create(&server, "ten", made + 1, count)?;
        made += count;
        println!("  {} in {:.0} s", thousands(made), took.as_secs_f64());
    }
    let memory = mebibytes(server.resident()?.peak);
    let full = enrollments(&server, &mut newcomers, scale)?;
    let with = format!("with {} devices on PostgreSQL", thousands(devices));
    let rate = devices as f64 / took.as_secs_f64();
    table.row(
        "devices made a second on PostgreSQL",
        "/s",
        rate,
        None,
        Aim::None,
    );
    table.row(
        &format!("peak server memory {with}"),
        "MiB",
        memory,
        None,
        Aim::None,
    );
    table.row(
        &format!("CPU of an enrollment {with}"),
        "µs",
        median(full.cpu),
        Some(median(empty.cpu)),
        Aim::Ratio(1.3),
    );
    table.row(
        &format!("enrollments a second {with}"),
        "/s",
        median(full.rate),
        Some(median(empty.rate)),
        Aim::None,
    );
    table.note(
        "Ten million: PostgreSQL of the bench's own with fsync on, on the same machine; beside each figure the same on the empty database.",
    );
    Ok(())
}

fn enrollments(server: &Served, newcomers: &mut Newcomers, scale: &Scale) -> Result<Samples> {
    let mut samples = Samples::default();
    // The first round warms up, and does not count.
    for round in 0..=scale.rounds {
        let mut one = Samples::default();
        let requests = newcomers.requests(scale.enrollments)?;
        sample(server, Over::Kept, &requests, &mut one)?;
        if round > 0 {
            samples.add(one);
        }
    }
    Ok(samples)
}
