//! Many devices in one call.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Scale, mebibytes, median};
use crate::floor;
use crate::http::{self, Connection};
use crate::scratch;
use crate::served::Served;
use crate::table::{Aim, Table};

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    let rows = scale.devices[1];
    println!("{rows} devices in one call");
    let (mut took, mut floor, mut grown) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds.min(3) {
        let directory = scratch::directory()?;
        floor.push(floor::bulk::insert(directory.path(), rows)?.as_secs_f64());
        let server = Served::enlist()?;
        server.group("bulk")?;
        let before = server.resident()?.now;
        took.push(create(&server, "bulk", 1, rows)?.as_secs_f64());
        grown.push(mebibytes(server.resident()?.peak - before));
    }
    let took = median(took);
    table.row(
        &format!("bulk creation of {} devices in one call", thousands(rows)),
        "s",
        took,
        Some(median(floor)),
        Aim::Ratio(3.0),
    );
    table.row(
        "devices created a second",
        "/s",
        rows as f64 / took,
        None,
        Aim::None,
    );
    table.row(
        "memory that the server takes for it",
        "MiB",
        median(grown),
        None,
        Aim::None,
    );
    table.note(
        "The floor of bulk creation: the same rows, tables and indexes in bare SQLite, 250 rows a statement, 2,000 rows a durable commit as the server commits; ids and names made before the clock starts, nothing checked, sent or answered. The server makes, checks and answers on one core while it writes on the other.",
    );
    Ok(())
}

/// Creates devices numbered from `start`, and makes sure that all are new.
pub(crate) fn create(server: &Served, group: &str, start: usize, count: usize) -> Result<Duration> {
    let body = format!(r#"{{"prefix":"test-device-","start":{start},"count":{count}}}"#);
    let path = format!("/v1/tenants/default/groups/{group}/devices/bulk");
    let request = http::post(&path, Some(&server.admin()?), body.as_bytes());
    let mut connection = Connection::open(server.address, &server.tls)?;
    // Rows are looked at no closer than by their number; the last line has the counts.
    let (mut rows, mut tail) = (0, Vec::new());
    let begun = Instant::now();
    let status = connection.stream(&request, |piece| {
        rows += piece.iter().filter(|byte| **byte == b'\n').count();
        let keep = piece.len().min(1024);
        tail.extend_from_slice(&piece[piece.len() - keep..]);
        tail.drain(..tail.len().saturating_sub(1024));
    })?;
    let took = begun.elapsed();
    let tail = String::from_utf8_lossy(&tail).into_owned();
    ensure!(status == 200, "status {status}: {tail}");
    let last = tail.trim_end().lines().last().context("no last line")?;
    let end: Value = serde_json::from_str(last)?;
    ensure!(
        end["done"] == true && end["created"] == count && rows == count + 1,
        "not all were created: {last}"
    );
    Ok(took)
}

pub(crate) fn thousands(count: usize) -> String {
    match count {
        1_000_000.. => format!(
            "{},{:03},{:03}",
            count / 1_000_000,
            count / 1000 % 1000,
            count % 1000
        ),
        1_000.. => format!("{},{:03}", count / 1000, count % 1000),
        _ => count.to_string(),
    }
}
