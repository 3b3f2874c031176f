//! Many connections at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rustls::ClientConfig;

use crate::http::{Connection, Reply};

/// Sends requests over several connections at once.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// `None` where the door has no TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) connections: usize,
    pub(crate) over: Over,
}

/// What each request goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// A connection of its own, with a full handshake.
    New,
    /// One that is kept.
    Kept,
}

impl Load {
    /// Sends all requests, each once; says how long that took. Connections that are kept are
    /// open before the clock starts.
    pub(crate) fn run(&self, requests: &[Vec<u8>]) -> Result<Duration> {
        let next = AtomicUsize::new(0);
        let ready = Barrier::new(self.connections + 1);
        thread::scope(|scope| {
            let senders: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| self.send(requests, &next, &ready)))
                .collect();
            ready.wait();
            let start = Instant::now();
            for sender in senders {
                match sender.join() {
                    Ok(sent) => sent?,
                    Err(_) => bail!("a sender panicked"),
                }
            }
            Ok(start.elapsed())
        })
    }

    fn send(&self, requests: &[Vec<u8>], next: &AtomicUsize, ready: &Barrier) -> Result<()> {
        let kept = match self.over {
            Over::Kept => Some(self.connect()),
            Over::New => None,
        };
        ready.wait();
        let mut kept = kept.transpose()?;
        while let Some(request) = requests.get(next.fetch_add(1, Relaxed)) {
            let reply = match &mut kept {
                Some(connection) => connection.exchange(request)?,
                None => self.connect()?.exchange(request)?,
            };
            well(&reply)?;
        }
        Ok(())
    }

    fn connect(&self) -> Result<Connection> {
        match &self.tls {
            Some(tls) => Connection::open(self.address, tls),
            None => Connection::plain(self.address),
        }
    }
}

/// Sends requests one after another over one connection; says how long each took.
pub(crate) fn one_by_one(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
    requests: &[Vec<u8>],
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address, tls)?;
    requests
        .iter()
        .map(|request| {
            let start = Instant::now();
            well(&connection.exchange(request)?)?;
            Ok(start.elapsed())
        })
        .collect()
}

fn well(reply: &Reply) -> Result<()> {
    ensure!(
        reply.status == 200,
        "status {}: {}",
        reply.status,
        String::from_utf8_lossy(&reply.body)
    );
    Ok(())
}
