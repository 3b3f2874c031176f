//! What one enrollment costs the server, and how many there are a second.

use std::time::Duration;

use anyhow::Result;

use super::{CONNECTIONS, Scale, batches, median, micros};
use crate::floor::{crypto, handshake, rows};
use crate::load::{Load, Over};
use crate::newcomers::Newcomers;
use crate::served::Served;
use crate::table::{Aim, Table};
use crate::{Role, scratch};

/// CPU time a request, and requests a second.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) cpu: Vec<f64>,
    pub(crate) rate: Vec<f64>,
}

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    for (over, called) in [(Over::New, "a new"), (Over::Kept, "a kept")] {
        println!("enrollments over {called} connection each");
        one(scale, over, called, table)?;
    }
    table.note(format!(
        "The floor of an enrollment: the exchange over TLS 1.3 on tokio without an HTTP library and with a fixed reply, one ECDSA verification, one signature, and the four rows in bare SQLite with as many to a commit as the server had. CPU time of the server's process, user and system, {CONNECTIONS} connections; median of {} rounds of {}. Load and server share the machine. The server's half of a handshake alone, in memory: {:.0} µs.",
        scale.rounds,
        scale.enrollments,
        micros(handshake::measure(2_000)?)
    ));
    Ok(())
}

fn one(scale: &Scale, over: Over, called: &str, table: &mut Table) -> Result<()> {
    let batches = batches::measure(scale, over)?;
    let server = Served::enlist()?;
    let bare = Served::role(Role::Exchange)?;
    let mut newcomers = server.group("bench")?;
    let (mut measured, mut floor) = (Samples::default(), Samples::default());
    // The first round warms both up, and does not count.
    for round in 0..=scale.rounds {
        let requests = newcomers.requests(scale.enrollments)?;
        let mut pair = [Samples::default(), Samples::default()];
        sample(&server, over, &requests, &mut pair[0])?;
        sample(&bare, over, &requests, &mut pair[1])?;
        if round > 0 {
            let [one, other] = pair;
            measured.add(one);
            floor.add(other);
        }
    }
    let exchange = median(floor.cpu);
    let crypto = crypto::measure(5_000)?;
    let share = share(batches.mean)?;
    let sum = exchange + micros(crypto.check) + micros(crypto.sign) + micros(share);
    table.row(
        &format!("CPU of an enrollment on {called} connection"),
        "µs",
        median(measured.cpu),
        Some(sum),
        Aim::Ratio(2.0),
    );
    table.row(
        &format!("enrollments a second, {CONNECTIONS} connections, {called} one each"),
        "/s",
        median(measured.rate),
        None,
        Aim::None,
    );
    table.note(format!(
        "Floor on {called} connection: exchange {exchange:.0} + verification {:.0} + signature {:.0} + rows {:.0} µs. Enrollments a commit: {:.1} on average ({}).",
        micros(crypto.check),
        micros(crypto.sign),
        micros(share),
        batches.mean,
        batches.described
    ));
    Ok(())
}

impl Samples {
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu.extend(other.cpu);
        self.rate.extend(other.rate);
    }
}

/// Sends all requests, and adds what that came to.
pub(crate) fn sample(
    server: &Served,
    over: Over,
    requests: &[Vec<u8>],
    into: &mut Samples,
) -> Result<()> {
    let load = Load {
        address: server.address,
        tls: Some(server.tls.clone()),
        connections: CONNECTIONS,
        over,
    };
    let before = server.cpu()?;
    let took = load.run(requests)?;
    let used = server.cpu()? - before;
    into.cpu.push(micros(used) / requests.len() as f64);
    into.rate.push(requests.len() as f64 / took.as_secs_f64());
    Ok(())
}

/// CPU time of one enrollment's rows, with as many to a commit as were seen.
fn share(batch: f64) -> Result<Duration> {
    let directory = scratch::directory()?;
    let batch = batch.round().max(1.0) as u32;
    rows::commit_share(directory.path(), batch, (20_000 / batch).max(1))
}

/// Times how long newcomers wait who come one by one over one connection: median and 99th of a
/// hundred, in milliseconds.
pub(crate) fn latency(server: &Served, newcomers: &mut Newcomers) -> Result<(f64, f64)> {
    let requests = newcomers.requests(500)?;
    let mut times = crate::load::one_by_one(server.address, &server.tls, &requests)?;
    times.sort();
    let millis = |at: usize| times[at].as_secs_f64() * 1e3;
    Ok((millis(times.len() / 2), millis(times.len() * 99 / 100)))
}
