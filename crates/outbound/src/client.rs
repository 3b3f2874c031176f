//! One call, from its URL to the last byte of the reply.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
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
use tokio_rustls::TlsConnector;

use crate::CallError;
use crate::destination::{Connection, Destination};
use crate::roots;
use crate::url::Place;

/// The longest that a call waits for its turn. That is no part of the time for the call itself.
const A_TURN: Duration = Duration::from_secs(5);
/// Calls at once, to whomever.
const AT_ONCE: usize = 256;
/// Destinations whose connections are remembered.
const MOST_DESTINATIONS: usize = 256;

/// One POST of JSON.
#[derive(Debug, Clone)]
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
    places: Semaphore,
    destinations: Mutex<HashMap<Key, Arc<Destination>>>,
}

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
        anchors(anchors_pem).map(drop)
    }

    /// Sends a request and reads the reply.
    ///
    /// # Errors
    /// Says why there is no reply of use. A status that says no is a reply.
    pub async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let place = Place::parse(&request.url)?;
        let destination = self.destination(&place, request.anchors_pem.as_deref())?;
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
        let seconds = request.timeout.as_secs();
        let exchange = exchange(&destination, &place, &request);
        match tokio::time::timeout(request.timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::TooSlow { seconds }),
        }
    }

    fn destination(
        &self,
        place: &Place,
        anchors_pem: Option<&str>,
    ) -> Result<Arc<Destination>, CallError> {
        let key = Key {
            authority: format!("{}:{}", place.host, place.port),
            anchors: anchors_pem.map(|pem| *Digest::of(pem.as_bytes()).as_bytes()),
        };
        let lock = || {
            self.destinations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lock().get(&key) {
            return Ok(known.clone());
        }
        let made = Arc::new(Destination::new(self.connector(anchors_pem)?));
        let mut destinations = lock();
        if destinations.len() >= MOST_DESTINATIONS && !destinations.contains_key(&key) {
            let oldest = destinations.iter().min_by_key(|(_, one)| one.used());
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                // Calls that are under way there end as they would.
                destinations.remove(&oldest);
            }
        }
        Ok(destinations.entry(key).or_insert(made).clone())
    }

    fn connector(&self, anchors_pem: Option<&str>) -> Result<TlsConnector, CallError> {
        let trust = ServerTrust {
            anchors: Anchors::default(),
            service_anchors: match anchors(anchors_pem)? {
                Some(anchors) => anchors,
                None => roots::of_system()?,
            },
        };
        let mut config = client_config(trust, None, self.clock.clone())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
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
