//! A running server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use enlist_keys::tls::server_config;
use enlist_ops::{Ops, ServerName};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::api;
use crate::app::App;
use crate::chores;
use crate::connection;
use crate::identity::{IdentityError, identity};
use crate::status::{self, Doorkeeper, StatusDoor};

/// How long a shutdown waits for requests under way.
pub(crate) const DRAIN: Duration = Duration::from_secs(20);

/// A running server. Dropping it stops it at once; [`Server::stop`] lets it finish what it has
/// begun.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
    status: Option<Doorkeeper>,
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
    /// The plain HTTP door, where there is to be one.
    pub status: Option<StatusDoor>,
}

/// Why a server can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error(
        "can't listen on {address}: is another server running there? --listen chooses another address"
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
    /// There is no certificate to serve with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Server {
    /// Starts to listen; once this returns, connections are taken. Where the server's own certificate takes
    /// a key in a token that is away, that is when the token is back.
    ///
    /// # Errors
    /// When the address is taken, or the certificate can't be used.
    pub async fn start(ops: Ops, listen: Listen) -> Result<Self, ServeError> {
        let at = |source| ServeError::Listen {
            address: listen.address,
            source,
        };
        let (identity, own) = identity(&ops, &listen).await?;
        let listener = TcpListener::bind(listen.address).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let tls = TlsAcceptor::from(Arc::new(
            server_config(identity, ops.clock()).map_err(IdentityError::Tls)?,
        ));
        let app = App { ops: ops.clone() };
        let open = |door| Doorkeeper::start(door, status::router(app.clone()));
        let status = listen.status.as_ref().map(open).transpose()?;
        let router = api::router(app);
        let (stop, stopped) = oneshot::channel();
        let places = Arc::new(Semaphore::new(listen.max_connections));
        Ok(Self {
            address,
            stop,
            accepting: tokio::spawn(accept(listener, tls, router, places, stopped)),
            status,
            chores: tokio::spawn(chores::run(ops.clone(), own)),
            ops,
        })
    }

    /// Where it listens: the port is known now, if any port was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, finishes the requests under way, and returns.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        // Those who wait have nothing under way.
        self.ops.end_waits();
        let status = async {
            if let Some(status) = self.status {
                status.stop().await;
            }
        };
        let (accepted, ()) = tokio::join!(self.accepting, status);
        if let Err(error) = accepted {
            warn!(%error, "the server ended badly");
        }
        self.chores.abort();
        // It ends at once, and badly: that is what aborting is.
        let _ = self.chores.await;
        if let Err(error) = self.ops.leave_webhooks().await {
            warn!(%error, "other servers take the webhooks over when the leases end");
        }
        if let Err(error) = self.ops.flush_refusals().await {
            warn!(%error, "refusals could not be recorded");
        }
    }
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: axum::Router,
    places: Arc<Semaphore>,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let place = places.clone().acquire_owned();
        let place = tokio::select! {
            _ = &mut stopped => break,
            place = place => place,
        };
        let accepted = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
                tokio::spawn(async move {
                    connection::serve(stream, from, tls, router, watcher).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: others have to end first.
                warn!(%error, "can't accept connections");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        info!("some requests did not end in time");
    }
}
