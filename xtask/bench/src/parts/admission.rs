//! What the bounds of a provisioning secret cost an enrollment, with a manifest of very many entries.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use enlist_wire::{BulkEnd, NewSecret, SecretRate};
use rusqlite::{Connection, params};

use super::bulk::thousands;
use super::enroll::{Samples, sample};
use super::{CONNECTIONS, Scale, median};
use crate::http;
use crate::load::Over;
use crate::newcomers::Newcomers;
use crate::served::Served;
use crate::table::{Aim, Table};

/// The manifest that the bounded secret names.
const MANIFEST: &str = "batch";

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    let entries = scale.entries;
    let with = thousands(usize::try_from(entries)?);
    println!("enrollments with a bounded secret, a manifest of {with} entries");
    let server = Served::enlist()?;
    open(&server)?;
    let server = server.again(|data| fill(data, entries))?;
    let mut both = [server.group("free")?, bounded(&server, "bounded")?];
    for newcomers in &mut both {
        newcomers.serials = Some(entries);
    }
    for (over, called) in [(Over::New, "a new"), (Over::Kept, "a kept")] {
        let mut samples = [Samples::default(), Samples::default()];
        // The first round warms both up, and does not count.
        for round in 0..=scale.rounds {
            for (newcomers, samples) in both.iter_mut().zip(&mut samples) {
                let mut once = Samples::default();
                let requests = newcomers.requests(scale.enrollments)?;
                sample(&server, over, &requests, &mut once)?;
                if round > 0 {
                    samples.add(once);
                }
            }
        }
        let [without, within] = samples;
        table.row(
            &format!("CPU of an enrollment with a bounded secret, on {called} connection"),
            "µs",
            median(within.cpu),
            Some(median(without.cpu)),
            Aim::Ratio(1.1),
        );
        table.row(
            &format!("enrollments a second with a bounded secret, {called} connection each"),
            "/s",
            median(within.rate),
            Some(median(without.rate)),
            Aim::None,
        );
    }
    table.note(format!(
        "Bounded: a most number of devices, a rate, a network and a manifest of {with} entries, which were put into SQLite while the server was down; beside it, in the same server and by turns, a secret without bounds. Devices of both claim a hardware identity each, from all over the manifest. Beside the bounded secret's figures, in the column of the floor, stand the unbounded one's. On PostgreSQL, where all that a bounded secret lets in wait for its one row, nothing was measured. {CONNECTIONS} connections; median of {} rounds of {}.",
        scale.rounds, scale.enrollments
    ));
    Ok(())
}

/// Makes a manifest with the one entry that shows that it takes any.
fn open(server: &Served) -> Result<()> {
    let path = format!("/v1/tenants/default/manifests/{MANIFEST}/entries");
    let bearer = server.admin()?;
    let head = format!("authorization: Bearer {bearer}\r\n");
    let request = http::post_as(&path, "text/csv", &head, b"serial\nfirst\n");
    let mut connection = http::Connection::open(server.address, &server.tls)?;
    let mut reply = Vec::new();
    connection.stream(&request, |piece| reply.extend_from_slice(piece))?;
    let last = reply
        .split(|byte| *byte == b'\n')
        .rfind(|line| !line.is_empty());
    let end: BulkEnd = serde_json::from_slice(last.context("no answer")?)?;
    ensure!(end.created == 1, "the manifest was not made");
    Ok(())
}

/// A group whose secret has all bounds there are, none of which is ever reached.
fn bounded(server: &Served, name: &str) -> Result<Newcomers> {
    server.group(name)?;
    let secret = NewSecret {
        label: Some("bounded".to_owned()),
        expires_in_s: Some(86_400),
        max_devices: Some(1_000_000_000),
        rate: Some(SecretRate {
            devices: 1_000_000,
            per_s: 1,
        }),
        networks: vec!["10.0.0.0/8".to_owned(), "127.0.0.0/8".to_owned()],
        manifest: Some(MANIFEST.to_owned()),
    };
    let made = server.operator()?.create_secret("default", name, &secret)?;
    Ok(Newcomers::new(name, made.secret.expose()))
}

/// Fills the manifest with the serial numbers that newcomers claim, and very many more.
fn fill(data: &Path, entries: u64) -> Result<()> {
    let mut db = Connection::open(data.join("enlist.db"))?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")?;
    let tx = db.transaction()?;
    let (tenant, manifest): (Vec<u8>, Vec<u8>) =
        tx.query_row("SELECT tenant_id, manifest_id FROM manifests", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    {
        let mut insert = tx.prepare(
            "INSERT INTO manifest_entries (tenant_id, manifest_id, identity) VALUES (?1, ?2, ?3)",
        )?;
        for number in 0..entries {
            // As they lie in the table: ten million in any other order take an hour.
            let identity = format!("serial:newcomer-{number:010}");
            insert.execute(params![tenant, manifest, identity])?;
        }
    }
    tx.execute(
        "UPDATE manifests SET entries = entries + ?1",
        params![i64::try_from(entries)?],
    )?;
    tx.commit()?;
    // So that what the server reads first is no log of ours.
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
