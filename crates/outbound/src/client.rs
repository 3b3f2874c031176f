//! One call, from its URL to the last byte of the reply.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use enlist_core::{Clock, Digest};
use enlist_keys::tls::{ServerTrust, client_config};
use enlist_pki::Anchors;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Response};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::CallError;
use crate::destination::{Connection, Destination};
use crate::lookup::Lookups;
use crate::roots;
use crate::url::Place;

/// The longest that a call waits for its turn. That is no part of the time for the call itself.
const A_TURN: Duration = Duration::from_secs(5);
/// Calls at once, to whomever.
const AT_ONCE: usize = 256;
/// Destinations whose connections are remembered.
const MOST_DESTINATIONS: usize = 256;
/// How long the system's CAs are taken for what they were when they were read.
const A_READING: Duration = Duration::from_secs(60 * 60);

/// One POST of JSON.
#[derive(Clone)]
pub struct Request {
    /// `https://host[:port][/path][?query]`.
    pub url: String,
    /// The CAs that the other end is believed by, PEM; `None` for those of this system.
    pub anchors_pem: Option<String>,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The most time for all of it, once it has its turn.
    pub timeout: Duration,
    /// The most bytes of the reply's body.
    pub most_bytes: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URL, headers and body may hold what only the receiver should know.
        f.debug_struct("Request")
            .field("timeout", &self.timeout)
            .field("most_bytes", &self.most_bytes)
            .finish_non_exhaustive()
    }
}

/// A reply; a redirect is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Calls others. Connections are kept for a while and used again. Calls of one client never wait for
/// those of another one.
pub struct Client {
    clock: Arc<dyn Clock>,
    system: fn() -> Result<Anchors, CallError>,
    places: Semaphore,
    lookups: Lookups,
    destinations: Mutex<Destinations>,
}

type Destinations = HashMap<Key, Arc<Destination>>;

/// Connections are shared where host, port and CAs are the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    authority: String,
    anchors: Option<[u8; 32]>,
}

impl Client {
    /// A client whose certificates are judged by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            system: roots::of_system,
            lookups: Lookups::new(),
            places: Semaphore::new(AT_ONCE),
            destinations: Mutex::default(),
        }
    }

    /// Whether a URL and its CAs can be used, as far as can be said without calling.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, url: &str, anchors_pem: Option<&str>) -> Result<(), CallError> {
        Place::parse(url)?;
        match anchors(anchors_pem)? {
            Some(_) => Ok(()),
            None => (self.system)().map(drop),
        }
    }

    /// Sends a request and reads the reply.
    ///
    /// # Errors
    /// Says why there is no reply of use. A status that says no is a reply.
    pub async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let place = Place::parse(&request.url)?;
        let anchors = request.anchors_pem.as_deref();
        let destination = self.destination(&place, anchors, Instant::now()).await?;
        destination.touch();
        // Neither is ever closed. First the narrow one, so that a destination that hangs holds no more
        // of the wide one than it may.
        let turn = async {
            let narrow = destination.places.acquire().await;
            (narrow, self.places.acquire().await)
        };
        let _turn = tokio::time::timeout(A_TURN, turn)
            .await
            .map_err(|_| CallError::Crowded)?;
        let limit = request.timeout;
        let exchange = exchange(&destination, &place, &request);
        match tokio::time::timeout(limit, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::TooSlow { limit }),
        }
    }

    async fn destination(
        &self,
        place: &Place,
        anchors_pem: Option<&str>,
        now: Instant,
    ) -> Result<Arc<Destination>, CallError> {
        let key = Key {
            authority: format!("{}:{}", place.host, place.port),
            anchors: anchors_pem.map(|pem| *Digest::of(pem.as_bytes()).as_bytes()),
        };
        if let Some(known) = good(&self.destinations(), &key, now) {
            return Ok(known);
        }
        let tls = self.connector(anchors_pem).await?;
        let until = anchors_pem.is_none().then(|| now + A_READING);
        let made = Arc::new(Destination::new(tls, self.lookups.of_another(), until));
        let mut destinations = self.destinations();
        if let Some(quicker) = good(&destinations, &key, now) {
            return Ok(quicker);
        }
        if destinations.len() >= MOST_DESTINATIONS && !destinations.contains_key(&key) {
            let oldest = destinations.iter().min_by_key(|(_, one)| one.used());
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                destinations.remove(&oldest);
            }
        }
        // Calls that are under way at one that goes end as they would.
        destinations.insert(key, made.clone());
        Ok(made)
    }

    fn destinations(&self) -> MutexGuard<'_, Destinations> {
        self.destinations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn connector(&self, anchors_pem: Option<&str>) -> Result<TlsConnector, CallError> {
        let service_anchors = match anchors(anchors_pem)? {
            Some(anchors) => anchors,
            // That reads a file. It ends without a result only where the server does.
            None => tokio::task::spawn_blocking(self.system)
                .await
                .unwrap_or(Err(CallError::NoSystemRoots))?,
        };
        let trust = ServerTrust {
            anchors: Anchors::default(),
            service_anchors,
        };
        let mut config = client_config(trust, None, self.clock.clone())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn good(known: &Destinations, key: &Key, now: Instant) -> Option<Arc<Destination>> {
    known.get(key).filter(|one| one.is_good(now)).cloned()
}

async fn exchange(
    destination: &Arc<Destination>,
    place: &Place,
    request: &Request,
) -> Result<Reply, CallError> {
    let message = message(place, request)?;
    if let Some(mut kept) = destination.kept().await {
        // The other end may have closed it at that very moment. Whether it has taken the request can't
        // be told: receivers know doubles by the request's id.
        if let Ok(response) = kept.send_request(message.clone()).await {
            return finish(destination, kept, response, request).await;
        }
    }
    let mut connection = destination.open(place).await?;
    let response = connection
        .send_request(message)
        .await
        .map_err(CallError::Exchange)?;
    finish(destination, connection, response, request).await
}

fn anchors(pem: Option<&str>) -> Result<Option<Anchors>, CallError> {
    pem.map(Anchors::from_pem)
        .transpose()
        .map_err(CallError::Anchors)
}

fn message(place: &Place, request: &Request) -> Result<hyper::Request<Full<Bytes>>, CallError> {
    let bad = || CallError::Url {
        url: request.url.clone(),
        problem: "its request can't be written",
    };
    let mut message = hyper::Request::builder()
        .method(Method::POST)
        .uri(place.path.clone())
        .header(HOST, place.authority.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("enlist/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|_| bad())?;
    for (name, value) in &request.headers {
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        let headers = message.headers_mut();
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(message)
}

/// Reads the reply. Only after a whole one the connection is used again.
async fn finish(
    destination: &Destination,
    connection: Connection,
    response: Response<Incoming>,
    request: &Request,
) -> Result<Reply, CallError> {
    let status = response.status();
    if status.is_redirection() {
        let status = status.as_u16();
        return Err(CallError::Redirected { status });
    }
    let status = status.as_u16();
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(CallError::Exchange)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > request.most_bytes - bytes.len() {
            let most_bytes = request.most_bytes;
            return Err(CallError::TooLarge { status, most_bytes });
        }
        bytes.extend_from_slice(&data);
    }
    destination.keep(connection);
    Ok(Reply {
        status,
        body: bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use enlist_core::SystemClock;

    fn client(system: fn() -> Result<Anchors, CallError>) -> Client {
        Client {
            system,
            ..Client::new(Arc::new(SystemClock))
        }
    }

    #[test]
    fn without_cas_on_the_system_others_have_to_be_named() {
        let client = client(|| Err(CallError::NoSystemRoots));
        let outcome = client.check("https://a.test/", None);
        assert!(matches!(outcome, Err(CallError::NoSystemRoots)));
    }

    #[tokio::test]
    async fn the_systems_cas_are_read_anew_after_an_hour_and_no_others() {
        let client = client(|| Ok(Anchors::default()));
        let place = Place::parse("https://a.test/").unwrap();
        let cert = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let pem = cert.cert.pem();
        let now = Instant::now();
        for (anchors, is_the_same) in [(None, false), (Some(pem.as_str()), true)] {
            let first = client.destination(&place, anchors, now).await.unwrap();
            let soon = now + A_READING - Duration::from_secs(1);
            let soon = client.destination(&place, anchors, soon).await.unwrap();
            assert!(Arc::ptr_eq(&first, &soon));
            let later = client.destination(&place, anchors, now + A_READING).await;
            assert_eq!(Arc::ptr_eq(&first, &later.unwrap()), is_the_same);
        }
    }
}
