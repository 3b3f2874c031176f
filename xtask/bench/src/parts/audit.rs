//! The record of events: what it costs to seal, to export and to verify a million of them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use enlist_core::{Clock as _, DeviceId, SystemClock, SystemRng};
use rusqlite::{Connection, params};

use super::bulk::thousands;
use super::{Scale, median};
use crate::scratch;
use crate::served::Served;
use crate::table::{Aim, Table};

/// How long the server is looked at while nothing happens.
const QUIET: Duration = Duration::from_secs(10);
/// Longer than sealing may take.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    let count = thousands(usize::try_from(scale.events)?);
    println!("the record of {count} events");
    let server = Served::enlist()?;
    server.group("audit")?;
    // As it stands with a database of before, in which nothing is sealed.
    let mut begun = Instant::now();
    let server = server.again(|data| {
        record(data, scale.events)?;
        // The server seals from its start on.
        begun = Instant::now();
        Ok(())
    })?;
    let sealing = until_sealed(&server, begun, scale.events)?;
    table.row(
        "events sealed a second, of a database of before",
        "/s",
        scale.events as f64 / sealing.as_secs_f64(),
        None,
        Aim::None,
    );
    let before = server.cpu()?;
    sleep(QUIET);
    let quiet = server.cpu()? - before;
    table.row(
        &format!("CPU of a server with {count} events to which nothing happens, a second"),
        "ms",
        quiet.as_secs_f64() * 1e3 / QUIET.as_secs_f64(),
        None,
        Aim::Most(10.0),
    );
    let file = server.data().join("events.jsonl");
    let key = server.data().join("audit.pem");
    let key_pem = server.operator()?.audit_key("default")?.public_key;
    std::fs::write(&key, key_pem)?;
    let took = timed(
        enlist(&server)?
            .args(["export", "events", "--out"])
            .arg(&file),
    )?;
    table.row(
        &format!("export of {count} events"),
        "s",
        took.as_secs_f64(),
        None,
        Aim::None,
    );
    let (mut verified, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let mut verify = enlist(&server)?;
        verify.args(["verify", "events"]).arg(&file);
        verified.push(timed(verify.arg("--key").arg(&key))?.as_secs_f64());
        floor.push(hashed(&file)?.as_secs_f64());
    }
    table.row(
        &format!("`enlist verify events` over {count} events"),
        "s",
        median(verified),
        Some(median(floor)),
        match scale.events {
            // The aim is set for a million; of fewer it says nothing.
            1_000_000.. => Aim::Most(10.0),
            _ => Aim::None,
        },
    );
    table.note(
        "The events were put into SQLite while the server was down; sealing them counts from its start. In the place of a floor for verifying: reading the same file and hashing it once, with nothing understood.",
    );
    Ok(())
}

fn until_sealed(server: &Served, begun: Instant, count: u64) -> Result<Duration> {
    let operator = server.operator()?;
    while operator.audit_key("default")?.events < count {
        ensure!(begun.elapsed() < PATIENCE, "it takes too long");
        sleep(Duration::from_millis(20));
    }
    Ok(begun.elapsed())
}

/// The CLI, as its operator calls it.
fn enlist(server: &Served) -> Result<Command> {
    let mut command = Command::new(scratch::binary("enlist")?);
    command
        .env("ENLIST_SERVER", format!("https://{}", server.address))
        .env("ENLIST_CA", server.data().join("root.pem"))
        .env("ENLIST_TOKEN", server.admin()?)
        .stdin(Stdio::null());
    Ok(command)
}

fn timed(command: &mut Command) -> Result<Duration> {
    let begun = Instant::now();
    let done = command.output()?;
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{command:?}: {said}");
    Ok(took)
}

fn hashed(path: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let mut file = File::open(path)?;
    let (mut buffer, mut hash) = (vec![0; 256 * 1024], Context::new(&SHA256));
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    std::hint::black_box(hash.finish());
    Ok(begun.elapsed())
}

/// Adds so many enrollments of the last hour to the record, as the server writes them.
fn record(data: &Path, count: u64) -> Result<()> {
    let mut connection = Connection::open(data.join("enlist.db"))?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
         DELETE FROM event_seals; DELETE FROM event_heads",
    )?;
    let hour_ago = SystemClock.now().as_millis() - 3_600_000;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO events (tenant_id, event_id, happened_at, actor, kind, group_id,
                 device_id, name, detail)
             SELECT tenant_id, ?1, ?2, 'newcomer', 'device-enrolled', group_id, ?3, ?4,
                 '[[\"secret\",\"k2x7q4mzpd\"],[\"serial\",\"5f3b1c9a7d0142e8a6c0917be2d4f380\"]]'
             FROM device_groups WHERE name = 'audit'",
        )?;
        for number in 0..count {
            let at = hour_ago + (3_000_000 * number / count).cast_signed();
            let mut id = *DeviceId::new(&SystemClock, &SystemRng).as_bytes();
            let device = id;
            id[..6].copy_from_slice(&at.to_be_bytes()[2..]);
            let name = format!("test-device-{number}");
            insert.execute(params![id, at, device, name])?;
        }
    }
    transaction.commit()?;
    // So that what the server reads first is no log of ours.
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
