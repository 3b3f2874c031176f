//! A running server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::Timestamp;
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerIdentity, TlsError, server_config};
use enlist_ops::{Ops, ServerName};
use enlist_pki::{Certificate, chain_from_pem};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::api;
use crate::app::App;
use crate::chores::{self, OwnCertificate};
use crate::connection;

/// How long a shutdown waits for requests under way.
const DRAIN: Duration = Duration::from_secs(20);

/// A running server. Dropping it stops it at once; [`Server::stop`] lets it finish what it has
/// begun.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
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
    /// Certificate or key of the server can't be read.
    #[error("can't use `{}` for the server's certificate", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate and key don't make a TLS server.
    #[error("certificate and key don't make a TLS server")]
    Tls(#[source] TlsError),
    /// The server's own certificate can't be made.
    #[error("can't make the server's own certificate")]
    Own(#[from] enlist_ops::Error),
}

impl Server {
    /// Starts to listen; once this returns, connections are taken.
    ///
    /// # Errors
    /// When the address is taken, or the certificate can't be used.
    pub async fn start(ops: Ops, listen: Listen) -> Result<Self, ServeError> {
        let at = |source| ServeError::Listen {
            address: listen.address,
            source,
        };
        let listener = TcpListener::bind(listen.address).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let (identity, own) = identity(&ops, &listen)?;
        let tls = TlsAcceptor::from(Arc::new(
            server_config(identity, ops.clock()).map_err(ServeError::Tls)?,
        ));
        let router = api::router(App { ops: ops.clone() });
        let (stop, stopped) = oneshot::channel();
        let places = Arc::new(Semaphore::new(listen.max_connections));
        Ok(Self {
            address,
            stop,
            accepting: tokio::spawn(accept(listener, tls, router, places, stopped)),
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
        if let Err(error) = self.accepting.await {
            warn!(%error, "the server ended badly");
        }
        self.chores.abort();
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

fn identity(
    ops: &Ops,
    listen: &Listen,
) -> Result<(Arc<ServerIdentity>, Option<OwnCertificate>), ServeError> {
    if let Some((certificate, key)) = &listen.certificate {
        let identity = read_identity(certificate, key)?;
        let identity = ServerIdentity::new(identity).map_err(ServeError::Tls)?;
        return Ok((Arc::new(identity), None));
    }
    let names = own_names(listen);
    let (identity, renew_at) = own_identity(ops, &names)?;
    let identity = Arc::new(ServerIdentity::new(identity).map_err(ServeError::Tls)?);
    let own = OwnCertificate {
        identity: identity.clone(),
        names,
        renew_at,
    };
    Ok((identity, Some(own)))
}

pub(crate) fn own_identity(
    ops: &Ops,
    names: &[ServerName],
) -> Result<(Identity, Timestamp), ServeError> {
    let made = ops.server_certificate(names)?;
    let identity = Identity {
        chain: made.chain.iter().map(Certificate::to_rustls).collect(),
        key: made.key,
    };
    Ok((identity, made.renew_at))
}

/// The listen address, localhost, the loopback addresses, the host name, and what else is
/// configured.
fn own_names(listen: &Listen) -> Vec<ServerName> {
    let mut names = listen.names.clone();
    names.push(ServerName::Dns("localhost".to_owned()));
    names.push(ServerName::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    names.push(ServerName::Address(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    if !listen.address.ip().is_unspecified() {
        names.push(ServerName::Address(listen.address.ip()));
    }
    if let Ok(host) = gethostname::gethostname().into_string()
        && is_dns_name(&host)
    {
        names.push(ServerName::Dns(host));
    }
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

fn is_dns_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn read_identity(certificate: &PathBuf, key: &PathBuf) -> Result<Identity, ServeError> {
    let failed = |path: &PathBuf, source: Box<dyn std::error::Error + Send + Sync>| {
        ServeError::Certificate {
            path: path.clone(),
            source,
        }
    };
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|e| failed(path, e.into()));
    let chain = chain_from_pem(&read(certificate)?).map_err(|e| failed(certificate, e.into()))?;
    let key_pem = secrecy::SecretString::from(read(key)?);
    let signer = FileKey::from_pkcs8_pem(secrecy::ExposeSecret::expose_secret(&key_pem))
        .map_err(|e| failed(key, e.into()))?;
    Ok(Identity {
        chain: chain.iter().map(Certificate::to_rustls).collect(),
        key: Arc::new(signer),
    })
}
