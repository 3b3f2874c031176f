//! One host and port under one set of CAs, and the connections to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tracing::debug;

use crate::CallError;
use crate::connect::connect;
use crate::lookup::Lookups;
use crate::url::Place;

/// Calls to one destination at once; more wait for their turn.
pub(crate) const AT_ONCE: usize = 16;
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(20);
/// What a reply's head may take, and what is read at once.
const BUFFER: usize = 32 * 1024;

/// A connection that a request can be sent over.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// One host and port under one set of CAs.
pub(crate) struct Destination {
    tls: TlsConnector,
    lookups: Lookups,
    /// Until when its CAs are taken for what they were.
    until: Option<Instant>,
    pub(crate) places: Semaphore,
    idle: Mutex<Vec<(Connection, Instant)>>,
    used: Mutex<Instant>,
}

impl Destination {
    pub(crate) fn new(tls: TlsConnector, lookups: Lookups, until: Option<Instant>) -> Self {
        Self {
            tls,
            lookups,
            until,
            places: Semaphore::new(AT_ONCE),
            idle: Mutex::default(),
            used: Mutex::new(Instant::now()),
        }
    }

    /// Whether it is still good.
    pub(crate) fn is_good(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// A connection that was used before, where one is still open.
    pub(crate) async fn kept(&self) -> Option<Connection> {
        loop {
            let (mut connection, _) = self.idle().pop()?;
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    /// A new connection.
    pub(crate) async fn open(self: &Arc<Self>, place: &Place) -> Result<Connection, CallError> {
        let stream = TokioIo::new(connect(place, &self.tls, &self.lookups).await?);
        let (connection, driver) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(stream)
            .await
            .map_err(CallError::Exchange)?;
        tokio::spawn(drive(driver, Arc::downgrade(self)));
        Ok(connection)
    }

    /// Keeps a connection for the next call.
    pub(crate) fn keep(&self, connection: Connection) {
        if !connection.is_closed() {
            self.idle().push((connection, Instant::now()));
        }
    }

    /// Notes that it is used now.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When it was used last.
    pub(crate) fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sweep(&self) {
        self.idle().retain(|(_, since)| since.elapsed() < IDLE);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves the bytes of a connection until it ends, and now and then closes those that nobody uses.
async fn drive(
    driver: http1::Connection<
        TokioIo<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>,
        Full<Bytes>,
    >,
    destination: Weak<Destination>,
) {
    let mut driver = std::pin::pin!(driver);
    loop {
        tokio::select! {
            ended = &mut driver => {
                if let Err(error) = ended {
                    debug!(%error, "a connection to a receiver broke off");
                }
                return;
            }
            () = tokio::time::sleep(IDLE / 2) => match destination.upgrade() {
                Some(destination) => destination.sweep(),
                None => return,
            }
        }
    }
}
