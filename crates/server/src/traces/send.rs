//! One POST to the collector.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use axum::http::header::{CONTENT_TYPE, HOST};
use bytes::Bytes;
use enlist_core::Clock;
use enlist_outbound::{CallError, Client, Request};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// All that sending may take.
const LONGEST: Duration = Duration::from_secs(10);
/// What a collector answers at most.
const MOST_BYTES: usize = 64 * 1024;

/// Where a collector takes traces: a URL of `http` or `https`, with its path.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// A URL that no collector could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it has to be a URL such as http://127.0.0.1:4318/v1/traces, with no user and no password in it"
)]
pub struct InvalidEndpoint;

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let uri: Uri = text.parse().map_err(|_| InvalidEndpoint)?;
        let authority = uri.authority().ok_or(InvalidEndpoint)?;
        let is_known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_known || authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(InvalidEndpoint);
        }
        Ok(Self(uri))
    }
}

impl Endpoint {
    /// The one for traces of a collector that is known by its base alone, as `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// has it.
    ///
    /// # Errors
    /// When it is no URL that a collector could have.
    pub fn below(base: &str) -> Result<Self, InvalidEndpoint> {
        format!("{}/v1/traces", base.trim_end_matches('/')).parse()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.0)
    }
}

/// Why a collector has not taken something.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("it can't be connected to")]
    Connect(#[source] io::Error),
    #[error("the exchange broke")]
    Exchange(#[source] hyper::Error),
    #[error("the call failed")]
    Call(#[source] CallError),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("it took longer than {} seconds", LONGEST.as_secs())]
    TooSlow,
}

/// Sends to one collector.
pub(super) struct Sender {
    endpoint: Endpoint,
    https: Client,
}

impl Sender {
    pub(super) fn new(endpoint: Endpoint, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint,
            https: Client::new(clock),
        }
    }

    /// Sends a body of JSON.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<(), SendError> {
        let status = if self.endpoint.0.scheme_str() == Some("https") {
            let request = Request {
                url: self.endpoint.to_string(),
                anchors_pem: None,
                headers: Vec::new(),
                body,
                timeout: LONGEST,
                most_bytes: MOST_BYTES,
            };
            let reply = self.https.call(request).await;
            reply.map_err(SendError::Call)?.status
        } else {
            let plain = timeout(LONGEST, plain(&self.endpoint.0, body));
            plain.await.map_err(|_| SendError::TooSlow)??
        };
        if (200..300).contains(&status) {
            Ok(())
        } else {
            Err(SendError::Status(status))
        }
    }
}

/// Over plain HTTP, as to a collector on this very machine. Nothing of the answer counts but its status.
async fn plain(uri: &Uri, body: Vec<u8>) -> Result<u16, SendError> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((bare, port)).await;
    let stream = stream.map_err(SendError::Connect)?;
    let _ = stream.set_nodelay(true);
    let opened = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(SendError::Exchange)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut message = hyper::Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap_or_default();
    if let Some(authority) = uri.authority()
        && let Ok(value) = authority.as_str().parse()
    {
        message.headers_mut().insert(HOST, value);
    }
    let driven = tokio::spawn(connection);
    let reply = sender.send_request(message).await;
    // The connection goes with the exchange.
    driven.abort();
    Ok(reply.map_err(SendError::Exchange)?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_gets_the_path_of_traces_and_a_whole_url_keeps_its_own() {
        let below = |base| Endpoint::below(base).unwrap().to_string();
        assert_eq!(below("http://a:4318"), "http://a:4318/v1/traces");
        assert_eq!(below("https://a/otlp/"), "https://a/otlp/v1/traces");
        let whole: Endpoint = "http://a:4318/x".parse().unwrap();
        assert_eq!(whole.to_string(), "http://a:4318/x");
        for bad in ["", "a:4318", "grpc://a", "http://u:p@a/", "/v1/traces"] {
            assert_eq!(bad.parse::<Endpoint>(), Err(InvalidEndpoint), "{bad}");
        }
    }
}
