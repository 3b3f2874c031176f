//! What a connection costs that does nothing.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::candidate::Candidate;
use crate::http::{self, Connection};
use crate::process;

/// Who opens them, at once.
const OPENERS: usize = 8;

/// After so long a connection is idle.
const A_WHILE: Duration = Duration::from_secs(5);

/// KiB of the server's memory for each of so many TLS connections that were asked one thing, at `path`,
/// and then nothing more.
pub(super) fn memory(candidate: &mut dyn Candidate, path: &str, count: usize) -> Result<f64> {
    let errand = candidate.newcomers(1)?;
    let tls = &errand.first().context("one was asked for")?.tls;
    let (address, request) = (candidate.address(), http::get(path));
    let open = |count: usize| -> Result<Vec<Connection>> {
        let opened = |_| {
            let mut connection = Connection::open(address, tls)?;
            let status = connection.stream(&request, |_| ())?;
            ensure!(status == 200, "{path}: status {status}");
            Ok(connection)
        };
        (0..count).map(opened).collect()
    };
    // What the first ones need once is there before.
    drop(open(OPENERS)?);
    thread::sleep(Duration::from_secs(1));
    let before = candidate.resident()?.now;
    let connections = thread::scope(|scope| {
        let openers: Vec<_> = (0..OPENERS)
            .map(|_| scope.spawn(|| open(count / OPENERS)))
            .collect();
        let mut connections = Vec::new();
        for opener in openers {
            match opener.join() {
                Ok(opened) => connections.extend(opened?),
                Err(_) => bail!("a client panicked"),
            }
        }
        Ok(connections)
    })?;
    thread::sleep(A_WHILE);
    let after = candidate.resident()?.now;
    let files = process::open_files(candidate.pid()).context("the server has ended")?;
    ensure!(
        files >= connections.len(),
        "the server has closed connections that were to be idle: {files} are left"
    );
    Ok(after.saturating_sub(before) as f64 / connections.len() as f64)
}
