//! Finding the host that takes writes, and speaking to it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Error, Socket};

use super::address::{Address, OneHost};
use super::failed::{OutOfReach, Refusal};
use super::link::Link;
use super::tls::Tls;
use crate::StoreError;

type Connected = (
    Client,
    Connection<Socket, <Tls as MakeTlsConnect<Socket>>::Stream>,
);

/// Connects to the first host that will do, from the one on that did last. Panics inside an async runtime,
/// so it is called on the store's threads alone.
pub(super) fn connect(address: &Address) -> Result<Link, StoreError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StoreError::Unavailable(Arc::new(error)))?;
    let mut refusals = Vec::new();
    let count = address.hosts.len();
    let last = address.last.load(Relaxed);
    for at in (0..count).map(|step| (last + step) % count) {
        let host = &address.hosts[at];
        match one(&runtime, host, &address.tls) {
            Ok((client, connection)) => {
                if address.last.swap(at, Relaxed) != at {
                    tracing::info!(host = host.name, "the database is on another host");
                }
                let round_trips = Arc::clone(&address.round_trips);
                return Ok(Link::new(runtime, client, connection, round_trips));
            }
            Err(refusal) => refusals.push((host.name.clone(), refusal)),
        }
    }
    // Not waiting for a name server that does not answer either.
    runtime.shutdown_background();
    Err(StoreError::Unavailable(Arc::new(OutOfReach {
        hosts: refusals,
    })))
}

fn one(runtime: &Runtime, host: &OneHost, tls: &Tls) -> Result<Connected, Refusal> {
    let connect = |config: &tokio_postgres::Config| {
        let (config, tls) = (config.clone(), tls.clone());
        runtime
            .block_on(async move { timeout(host.limit, config.connect(tls)).await })
            .map_err(|_| Refusal::Late(host.limit))
    };
    match connect(&host.config)? {
        Ok(connected) => Ok(connected),
        // As libpq has it, `prefer` does without TLS where that fails.
        Err(error) if host.config.get_ssl_mode() == SslMode::Prefer && is_for_tls(&error) => {
            let mut plain = host.config.clone();
            plain.ssl_mode(SslMode::Disable);
            connect(&plain)?.map_err(|_| Refusal::Said(error))
        }
        Err(error) => Err(Refusal::Said(error)),
    }
}

/// Whether it may have failed for TLS: no handshake came about, or the server takes nobody with TLS.
fn is_for_tls(error: &Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().contains("TLS"),
    }
}
