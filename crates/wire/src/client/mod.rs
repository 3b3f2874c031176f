//! A typed, blocking client for the HTTP interface.
//!
//! It speaks HTTP/1.1 over TLS with the rustls configuration it is given, keeps connections open
//! between calls, follows no redirect, uses no proxy, and reads no reply beyond a bound.

mod audit;
mod cas;
mod configuration;
mod device;
mod devices;
mod error;
mod groups;
mod hooks;
mod manifests;
mod manufacturers;
mod meter;
mod orders;
mod records;
mod roots;
mod secrets;
mod tenants;
mod tls;
mod tokens;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Method, Request, Response, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};

pub use error::ClientError;
pub use meter::{Meter, Reading};

use crate::{PROBLEM_MEDIA_TYPE, Problem};
use tls::TlsConnector;

/// The most bytes of a reply of the management API.
const MAX_REPLY: u64 = 1024 * 1024;
/// The most bytes of a reply of the device API.
const MAX_DEVICE_REPLY: u64 = 64 * 1024;
/// The most bytes of a reply to a poll, which may hold three configuration statements.
const MAX_POLL_REPLY: u64 = 2 * 1024 * 1024;

/// The bytes that are on their way in or out at once: a TLS record. Each connection has them twice, once
/// encrypted, and small devices have little memory.
const BUFFER: usize = 16 * 1024;

/// A connection to one server.
///
/// Cloning shares the connections. A client holds one TLS identity: for another certificate, make
/// another client.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
    token: Option<SecretString>,
}

/// A reply that went well: its status and its bytes.
struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Client {
    /// A client for the server at `base_url`, which is `https://host[:port][/path]`. `timeout` bounds
    /// each call as a whole, from looking up the name to the last byte of the reply.
    pub fn new(
        base_url: &str,
        tls: Arc<rustls::ClientConfig>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        Self::metered(base_url, tls, timeout, None)
    }

    /// The same, counting with `meter`, if there is one, what goes over its connections.
    pub fn metered(
        base_url: &str,
        tls: Arc<rustls::ClientConfig>,
        timeout: Duration,
        meter: Option<Arc<Meter>>,
    ) -> Result<Self, ClientError> {
        let base = base_url.trim_end_matches('/');
        let uri: ureq::http::Uri = base.parse().map_err(|_| bad_url(base_url))?;
        let lawful = uri.scheme_str() == Some("https")
            && uri
                .authority()
                .is_some_and(|who| !who.as_str().contains('@'))
            && uri.query().is_none();
        if !lawful {
            return Err(bad_url(base_url));
        }
        let config = ureq::Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .no_delay(true)
            .timeout_global(Some(timeout))
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_response_header_size(BUFFER)
            .user_agent(concat!("enlist/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = TcpConnector::default().chain(TlsConnector::new(tls, meter));
        Ok(Self {
            base: base.to_owned(),
            agent: ureq::Agent::with_parts(config, connector, DefaultResolver::default()),
            token: None,
        })
    }

    /// The same, presenting an API token with every call.
    #[must_use]
    pub fn with_token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None::<&()>, MAX_REPLY)?.read()
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.call(Method::POST, path, Some(body), MAX_REPLY)?.read()
    }

    fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.call(Method::PATCH, path, Some(body), MAX_REPLY)?
            .read()
    }

    fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, path, None::<&()>, MAX_REPLY)
            .map(drop)
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        limit: u64,
    ) -> Result<Reply, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::ACCEPT, "application/json, application/problem+json");
        if let Some(token) = &self.token {
            let bearer = format!("Bearer {}", token.expose_secret());
            let mut value =
                header::HeaderValue::try_from(bearer).map_err(|_| ClientError::BadToken)?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let sent = match body {
            Some(body) => {
                let bytes = serde_json::to_vec(body).map_err(ClientError::Unwritable)?;
                let request = request
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(bytes)
                    .map_err(|_| bad_url(path))?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(|_| bad_url(path))?),
        };
        receive(sent.map_err(ClientError::from)?, limit)
    }
}

impl Reply {
    fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|source| ClientError::Garbage {
            status: self.status,
            source: Some(source),
        })
    }
}

fn receive(mut response: Response<ureq::Body>, limit: u64) -> Result<Reply, ClientError> {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
    let retry_after_s = header(header::RETRY_AFTER).and_then(|v| v.trim().parse().ok());
    let is_problem = header(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.split(';').next().map(str::trim) == Some(PROBLEM_MEDIA_TYPE));
    let body = response.body_mut().with_config().limit(limit).read_to_vec();
    let body = match body {
        Ok(body) => body,
        Err(ureq::Error::BodyExceedsLimit(limit)) => return Err(ClientError::TooLarge(limit)),
        Err(other) => return Err(other.into()),
    };
    let status = status.as_u16();
    if (200..300).contains(&status) {
        return Ok(Reply { status, body });
    }
    let problem = is_problem.then(|| serde_json::from_slice::<Problem>(&body).ok());
    match problem.flatten() {
        Some(mut problem) => {
            // What came over HTTP counts; the member repeats it.
            problem.status = status;
            problem.retry_after_s = problem.retry_after_s.or(retry_after_s);
            Err(ClientError::Problem(Box::new(problem)))
        }
        None => Err(ClientError::Foreign {
            status,
            retry_after_s,
        }),
    }
}

fn bad_url(url: &str) -> ClientError {
    ClientError::BadUrl(url.to_owned())
}

/// Builds paths out of parts that may hold anything, percent-encoding what is not unreserved
/// (RFC 3986 §2.3).
struct Path(String);

impl Path {
    fn new(start: &str) -> Self {
        Self(start.to_owned())
    }

    fn part(mut self, part: &str) -> Self {
        self.0.push('/');
        self.encode(part);
        self
    }

    fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.encode(&value.to_string());
        }
        self
    }

    fn encode(&mut self, text: &str) {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                self.0.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_stay_parts() {
        let path = Path::new("/v1/tenants")
            .part("a/../b?c")
            .query("after", Some("x&y=ü"))
            .query("limit", None::<u32>)
            .query("state", Some(7));
        assert_eq!(
            path.0,
            "/v1/tenants/a%2F..%2Fb%3Fc?after=x%26y%3D%C3%BC&state=7"
        );
    }
}
