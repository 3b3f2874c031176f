//! A running server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use enlist_core::{Network, explain};
use enlist_keys::tls::server_config;
use enlist_ops::{Ops, ServerName};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::api;
use crate::app::App;
use crate::chores;
use crate::connection;
use crate::identity::{IdentityError, identity};
use crate::metrics::{self, Observe, Seen};
use crate::phase::{Phase, Phases, Turn, serving};
use crate::ready::Readiness;
use crate::status::{self, Doorkeeper, StatusDoor};
use crate::traces::Exporter;

/// How long a shutdown waits for requests under way.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// A running server. Dropping it stops it at once; [`Server::stop`] lets it finish what it has
/// begun.
pub struct Server {
    address: SocketAddr,
    turn: Turn,
    drain_delay: Duration,
    accepting: JoinHandle<()>,
    status: Option<Doorkeeper>,
    metrics: Option<Doorkeeper>,
    exporter: Option<Exporter>,
    chores: JoinHandle<()>,
    ops: Ops,
}

/// What a server listens with.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// By which other names clients call it.
    pub names: Vec<ServerName>,
    /// Certificate chain and key (PEM) from elsewhere; `None` takes one of the service CA's.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Connections at one time; more wait to be accepted.
    pub max_connections: usize,
    /// The load balancers that say, by the PROXY protocol, whom they pass on. They have to, and nobody else
    /// may.
    pub trusted_proxies: Vec<Network>,
    /// How long [`Server::stop`] goes on taking connections after `/readyz` has begun to fail, so that load
    /// balancers send new ones elsewhere.
    pub drain_delay: Duration,
    /// The plain HTTP door, where there is to be one.
    pub status: Option<StatusDoor>,
}

/// Why a server can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error(
        "can't listen on {address}: {}--listen chooses another address",
        hint(source)
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address of the plain HTTP door can't be listened on.
    #[error(
        "can't listen on {address} for revocation lists and OCSP: --status-listen chooses another address"
    )]
    StatusListen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address of the metrics' door can't be listened on.
    #[error("can't listen on {address} for metrics: --metrics-listen chooses another address")]
    MetricsListen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no certificate to serve with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Why it may be that an address can't be listened on.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "is another server running there? ",
        io::ErrorKind::AddrNotAvailable => "this machine does not have this address; ",
        io::ErrorKind::PermissionDenied => {
            "this user may not listen there (ports below 1024 are root's); "
        }
        _ => "",
    }
}

impl Server {
    /// Starts to listen; once this returns, connections are taken. Where the server's own certificate takes
    /// a key in a token that is away, that is when the token is back.
    ///
    /// # Errors
    /// When the address is taken, or the certificate can't be used.
    pub async fn start(ops: Ops, listen: Listen) -> Result<Self, ServeError> {
        Self::start_observed(ops, listen, Observe::default()).await
    }

    /// The same, watched over.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_observed(
        ops: Ops,
        listen: Listen,
        observe: Observe,
    ) -> Result<Self, ServeError> {
        let at = |source| ServeError::Listen {
            address: listen.address,
            source,
        };
        let (identity, own) = identity(&ops, &listen).await?;
        let seen = Seen::new(&observe, identity.clone());
        let listener = TcpListener::bind(listen.address).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let tls = TlsAcceptor::from(Arc::new(
            server_config(identity, ops.clock()).map_err(IdentityError::Tls)?,
        ));
        let app = App { ops: ops.clone() };
        let trusted: Arc<[Network]> = listen.trusted_proxies.into();
        let watched =
            |router: Router| router.layer(from_fn_with_state(seen.clone(), metrics::observe));
        let open = |door| {
            let router = watched(status::router(app.clone()));
            Doorkeeper::start(door, router, trusted.clone())
        };
        let status = listen.status.as_ref().map(open).transpose()?;
        let open = |door| metrics::open(door, ops.clone(), seen.clone());
        let metrics = observe.metrics.as_ref().map(open).transpose()?;
        let (turn, phases) = serving();
        let ready = Readiness::new(ops.clone(), phases.clone());
        let door = Door {
            tls,
            router: watched(api::router(app, ready)),
            seen: seen.clone(),
            places: u32::try_from(listen.max_connections).unwrap_or(u32::MAX),
            trusted,
            phases: Arc::new(phases),
        };
        Ok(Self {
            address,
            turn,
            drain_delay: listen.drain_delay,
            accepting: tokio::spawn(door.open(listener)),
            status,
            metrics,
            exporter: observe.traces.and_then(|traces| traces.exporter()),
            chores: tokio::spawn(chores::run(ops.clone(), own)),
            ops,
        })
    }

    /// Where it listens: the port is known now, if any port was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends in good order. From now on `/readyz` fails, devices that wait are let go, and answers ask for
    /// the connection to be closed; after the drain delay no more connections are taken, and when the
    /// requests under way are finished this returns.
    pub async fn stop(self) {
        self.turn.to(Phase::Draining);
        // Those who wait have nothing under way.
        self.ops.end_waits();
        tokio::time::sleep(self.drain_delay).await;
        self.turn.to(Phase::Stopping);
        let status = async {
            if let Some(status) = self.status {
                status.stop().await;
            }
        };
        let (accepted, ()) = tokio::join!(self.accepting, status);
        if let Err(error) = accepted {
            warn!(error = %explain(&error), "the server ended badly");
        }
        self.chores.abort();
        // It ends at once, and badly: that is what aborting is.
        let _ = self.chores.await;
        if let Err(error) = self.ops.leave_webhooks().await {
            warn!(error = %explain(&error), "other servers take the webhooks over when the leases end");
        }
        if let Err(error) = self.ops.flush_refusals().await {
            warn!(error = %explain(&error), "refusals could not be recorded");
        }
        // Watched to the end.
        if let Some(metrics) = self.metrics {
            metrics.stop().await;
        }
        if let Some(exporter) = self.exporter {
            exporter.stop().await;
        }
    }
}

/// What a connection comes in by.
struct Door {
    tls: TlsAcceptor,
    router: Router,
    /// Connections at one time.
    places: u32,
    trusted: Arc<[Network]>,
    phases: Arc<Phases>,
    seen: Arc<Seen>,
}

impl Door {
    /// Takes connections until the server stops, and waits for those that there are to end.
    async fn open(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.places as usize));
        let mut phases = Phases::clone(&self.phases);
        loop {
            let place = tokio::select! {
                () = phases.reached(Phase::Stopping) => break,
                place = places.clone().acquire_owned() => place,
            };
            let accepted = tokio::select! {
                () = phases.reached(Phase::Stopping) => break,
                accepted = listener.accept() => accepted,
            };
            match (place, accepted) {
                (Ok(place), Ok((stream, from))) => self.serve(stream, from, place),
                (Err(_), _) => break,
                (_, Err(error)) => {
                    // Out of file descriptors, most likely: others have to end first.
                    warn!(error = %explain(&error), "can't accept connections");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        self.take_the_last(listener, &places);
        if timeout(DRAIN, places.acquire_many(self.places))
            .await
            .is_err()
        {
            info!("some requests did not end in time");
        }
    }

    fn serve(&self, stream: TcpStream, from: SocketAddr, place: OwnedSemaphorePermit) {
        let (tls, router) = (self.tls.clone(), self.router.clone());
        let (trusted, phases) = (self.trusted.clone(), self.phases.clone());
        let seen = self.seen.clone();
        tokio::spawn(async move {
            connection::serve(stream, from, tls, router, trusted, phases, seen).await;
            drop(place);
        });
    }

    /// Serves those whom the system has let in already, and closes the door.
    fn take_the_last(&self, listener: TcpListener, places: &Arc<Semaphore>) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok(place) = places.clone().try_acquire_owned()
            && let Ok((stream, from)) = listener.accept()
            && stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            self.serve(stream, from, place);
        }
    }
}
