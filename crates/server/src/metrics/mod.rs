//! What this server has seen, for whoever watches over it.
//!
//! A request costs an addition or two here, and no lock unless it is refused. Everything that is told is
//! put together when it is asked for, at a door of its own: on the main one it would be told to strangers.

mod door;
mod gather;
mod names;
mod page;
mod process;
mod record;
mod refused;
mod requests;
mod transactions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use enlist_keys::tls::ServerIdentity;

use crate::traces::Traces;

pub use door::MetricsDoor;
pub(crate) use door::open;
pub(crate) use refused::Slug;
pub(crate) use requests::observe;

use requests::Requests;

/// Where a server is watched from.
#[derive(Debug, Clone, Default)]
pub struct Observe {
    /// The door that metrics are asked for at, where there is to be one.
    pub metrics: Option<MetricsDoor>,
    /// Where traces of requests go, where they are to go anywhere.
    pub traces: Option<Traces>,
    /// The data directory, whose disk may be full one day.
    pub data: Option<PathBuf>,
}

/// What this server has seen since its start.
pub(crate) struct Seen {
    requests: Requests,
    traces: Option<Traces>,
    data: Option<PathBuf>,
    connections: AtomicI64,
    handshakes: AtomicU64,
    handshakes_failed: AtomicU64,
    handshakes_slow: AtomicU64,
    /// What it presents.
    identity: Arc<ServerIdentity>,
}

impl Seen {
    pub(crate) fn new(observe: &Observe, identity: Arc<ServerIdentity>) -> Arc<Self> {
        Arc::new(Self {
            requests: Requests::new(),
            traces: observe.traces.clone(),
            data: observe.data.clone(),
            connections: AtomicI64::new(0),
            handshakes: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
            handshakes_slow: AtomicU64::new(0),
            identity,
        })
    }

    /// A connection has been taken; it is open for as long as what this returns.
    pub(crate) fn connection(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// A handshake has come to its end.
    pub(crate) fn handshake(&self, how: Handshake) {
        let counter = match how {
            Handshake::Done => &self.handshakes,
            Handshake::Failed => &self.handshakes_failed,
            Handshake::Slow => &self.handshakes_slow,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// Well.
    Done,
    /// One side would not have the other.
    Failed,
    /// It took too long.
    Slow,
}

/// An open connection.
pub(crate) struct Open(Arc<Seen>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}
