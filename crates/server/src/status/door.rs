//! The plain HTTP door: nothing but what is signed goes out of it, and hardly anything comes in.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use enlist_core::Network;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower::Service;
use tracing::{debug, info, warn};

use super::places::Places;
use crate::ServeError;
use crate::patient::Patient;
use crate::server::DRAIN;

/// Connections at one time; more wait to be accepted.
const MOST: u32 = 1024;
/// A stranger has this long to send the head of a request, the next one on a kept connection included.
const HEAD: Duration = Duration::from_secs(10);
/// A connection ends after this long, whoever is slow at the other end.
const LONGEST: Duration = Duration::from_secs(900);
/// The head of a request at most; a GET carries an OCSP request in it.
const LARGEST_HEAD: usize = 16 * 1024;

/// The address at which the plain HTTP door listens: taken before anything else is done, so that its port is
/// known to the certificates that point to it.
#[derive(Debug, Clone)]
pub struct StatusDoor {
    listener: Arc<TcpListener>,
    address: SocketAddr,
}

impl StatusDoor {
    /// Takes the address.
    ///
    /// # Errors
    /// When it is taken already.
    pub fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let at = |source| ServeError::StatusListen { address, source };
        let listener = TcpListener::bind(address).map_err(at)?;
        listener.set_nonblocking(true).map_err(at)?;
        Ok(Self {
            address: listener.local_addr().map_err(at)?,
            listener: Arc::new(listener),
        })
    }

    /// Where it listens: the port is known, if any port was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Who opens the door, until told to stop.
pub(crate) struct Doorkeeper {
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Doorkeeper {
    /// Starts to accept. Load balancers that are trusted may have as many connections as there are, since
    /// many ask through them.
    pub(crate) fn start(
        door: &StatusDoor,
        router: Router,
        trusted: Arc<[Network]>,
    ) -> Result<Self, ServeError> {
        let at = |source| ServeError::StatusListen {
            address: door.address,
            source,
        };
        let listener = door.listener.try_clone().map_err(at)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(at)?;
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            stop,
            accepting: tokio::spawn(accept(listener, router, trusted, stopped)),
        })
    }

    /// Takes no more connections, and waits for the requests under way.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.accepting.await {
            warn!(%error, "the plain HTTP door ended badly");
        }
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    router: Router,
    trusted: Arc<[Network]>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(MOST as usize));
    let sources = Places::default();
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = stopped.changed() => break,
            next = next => next,
        };
        let Ok(place) = place else {
            break;
        };
        match accepted {
            Ok((stream, from)) => {
                let bounded = !trusted.iter().any(|network| network.contains(from.ip()));
                let of_source = bounded.then(|| sources.take(from.ip()));
                if let Some(None) = of_source {
                    debug!(%from, "too many connections from there");
                    continue;
                }
                let (router, stopped) = (router.clone(), stopped.clone());
                tokio::spawn(async move {
                    if timeout(LONGEST, serve(stream, from, router, stopped))
                        .await
                        .is_err()
                    {
                        debug!(%from, "connection took too long");
                    }
                    drop((place, of_source));
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: others have to end first.
                warn!(%error, "can't accept connections at the plain HTTP door");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if timeout(DRAIN, places.acquire_many(MOST)).await.is_err() {
        info!("some who ask over plain HTTP were not done in time");
    }
}

async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%from, %error, "connection lost");
        return;
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let request = request.map(Body::new);
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|e| match e {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%from, %error, "connection ended");
    }
}
