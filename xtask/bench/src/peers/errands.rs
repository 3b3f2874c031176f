//! What clients ask for, many at once, and what becomes of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use enlist_keys::FileKey;
use rustls::ClientConfig;

use crate::http::Connection;

/// A certificate that somebody wants.
pub(crate) struct Errand {
    /// HTTP head and body.
    pub(crate) request: Vec<u8>,
    /// How whoever asks connects.
    pub(crate) tls: Arc<ClientConfig>,
    /// The key that is to be certified.
    pub(crate) key: Arc<FileKey>,
    /// How often that device has renewed, this time included.
    pub(crate) renewals: u64,
}

/// What an errand goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A new connection, within what is timed.
    New,
    /// One that is kept and that errands share.
    Shared,
    /// One of its own that was open before.
    Own,
}

/// What came of a round.
pub(crate) struct Outcome {
    /// From the first request to the last reply.
    pub(crate) took: Duration,
    /// What the meter said when the clock started.
    pub(crate) before: Duration,
    /// How long each errand took.
    pub(crate) waits: Vec<Duration>,
    /// What each was answered, in the order of the errands.
    pub(crate) replies: Vec<Vec<u8>>,
}

/// One errand, done.
type Done = (usize, Duration, Vec<u8>);

/// Runs all errands with so many at once. `meter` is read when the connections that are kept are open,
/// just before the clock starts.
pub(crate) fn run(
    address: SocketAddr,
    errands: &[Errand],
    way: Way,
    at_once: usize,
    meter: impl FnOnce() -> Result<Duration>,
) -> Result<Outcome> {
    let next = AtomicUsize::new(0);
    let (ready, go) = (Barrier::new(at_once + 1), Barrier::new(at_once + 1));
    thread::scope(|scope| {
        let runners: Vec<_> = (0..at_once)
            .map(|first| {
                let runner = Runner {
                    address,
                    errands,
                    way,
                    first,
                    at_once,
                };
                let (next, ready, go) = (&next, &ready, &go);
                scope.spawn(move || runner.run(next, ready, go))
            })
            .collect();
        ready.wait();
        let before = meter();
        let start = Instant::now();
        go.wait();
        let mut done = Vec::with_capacity(errands.len());
        for runner in runners {
            match runner.join() {
                Ok(some) => done.extend(some?),
                Err(_) => bail!("a client panicked"),
            }
        }
        let took = start.elapsed();
        ensure!(done.len() == errands.len(), "not all errands were run");
        done.sort_by_key(|(at, ..)| *at);
        let waits = done.iter().map(|(_, wait, _)| *wait).collect();
        let replies = done.into_iter().map(|(.., reply)| reply).collect();
        Ok(Outcome {
            took,
            before: before?,
            waits,
            replies,
        })
    })
}

struct Runner<'a> {
    address: SocketAddr,
    errands: &'a [Errand],
    way: Way,
    first: usize,
    at_once: usize,
}

impl Runner<'_> {
    fn run(&self, next: &AtomicUsize, ready: &Barrier, go: &Barrier) -> Result<Vec<Done>> {
        let open = self.open();
        ready.wait();
        go.wait();
        let mut open = open?;
        let mut done = Vec::new();
        // Those that have connections of their own are dealt out; the others take what is next.
        let mut mine = (self.first..self.errands.len()).step_by(self.at_once);
        loop {
            let at = match self.way {
                Way::Own => mine.next(),
                Way::New | Way::Shared => Some(next.fetch_add(1, Relaxed)),
            };
            let Some((at, errand)) = at.and_then(|at| Some((at, self.errands.get(at)?))) else {
                return Ok(done);
            };
            let start = Instant::now();
            let reply = match self.way {
                Way::New => exchange(&mut Connection::open(self.address, &errand.tls)?, errand)?,
                Way::Shared => exchange(open.front_mut().context("no connection")?, errand)?,
                Way::Own => exchange(&mut open.pop_front().context("no connection")?, errand)?,
            };
            done.push((at, start.elapsed(), reply));
        }
    }

    /// The connections that are there before the clock starts.
    fn open(&self) -> Result<VecDeque<Connection>> {
        let mine = self.errands.iter().skip(self.first).step_by(self.at_once);
        let open = |errand: &Errand| Connection::open(self.address, &errand.tls);
        match self.way {
            Way::New => Ok(VecDeque::new()),
            // All of them connect alike.
            Way::Shared => self.errands.iter().take(1).map(open).collect(),
            Way::Own => mine.map(open).collect(),
        }
    }
}

fn exchange(connection: &mut Connection, errand: &Errand) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let status = connection.stream(&errand.request, |piece| body.extend_from_slice(piece))?;
    ensure!(
        matches!(status, 200 | 201),
        "status {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(body)
}
