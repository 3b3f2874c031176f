//! A connection that carries a request and its answer at the same time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{Buf, Bytes, BytesMut};
use enlist_wire::{ClientError, PROBLEM_MEDIA_TYPE, Problem};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, Response, Uri, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::upload::Body;
use crate::context::{Settings, tls_config};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a refusal.
const MAX_PROBLEM: usize = 1024 * 1024;
/// The most bytes of one line of the answer.
const MAX_LINE: usize = 64 * 1024;

/// A connection to the server. It speaks HTTP/2, where a refusal gets through in the middle of an
/// upload.
pub struct Connection {
    sender: SendRequest<Body>,
    base: String,
}

/// An answer that is being read.
pub struct Reply {
    body: Incoming,
    read: BytesMut,
}

impl Connection {
    /// Connects and shakes hands.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let bad = || ClientError::BadUrl(settings.server.clone());
        let uri: Uri = settings.server.parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?;
        if uri.scheme_str() != Some("https") {
            return Err(bad().into());
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| bad())?;
        let mut config = tls_config(settings, None)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let port = uri.port_u16().unwrap_or(443);
        let connecting = async {
            let stream = TcpStream::connect((bare, port)).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::new(config))
                .connect(name, stream)
                .await
        };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|late| ClientError::Unreachable(late.into()))?
            .map_err(refused_or_away)?;
        let handshake = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) =
            handshake.map_err(|error| ClientError::Unreachable(error.into()))?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            base: settings.server.clone(),
        })
    }

    /// Sends a request. The answer may begin before its body has ended.
    pub async fn post(
        &mut self,
        path: &str,
        token: &SecretString,
        media_type: &'static str,
        body: Body,
    ) -> anyhow::Result<Reply> {
        let uri: Uri = format!("{}{path}", self.base)
            .parse()
            .map_err(|_| ClientError::BadUrl(self.base.clone()))?;
        let bearer = format!("Bearer {}", token.expose_secret());
        let mut bearer =
            header::HeaderValue::try_from(bearer).map_err(|_| ClientError::BadToken)?;
        bearer.set_sensitive(true);
        let request = Request::post(uri)
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, media_type)
            .header(
                header::ACCEPT,
                "application/x-ndjson, application/problem+json",
            )
            .header(
                header::USER_AGENT,
                concat!("enlist/", env!("CARGO_PKG_VERSION")),
            )
            .body(body)
            .context("the request can't be made")?;
        let response = self.sender.send_request(request).await;
        let response = response.map_err(|error| ClientError::Unreachable(error.into()))?;
        if response.status().is_success() {
            return Ok(Reply {
                body: response.into_body(),
                read: BytesMut::new(),
            });
        }
        Err(refusal(response).await.into())
    }
}

impl Reply {
    /// The next line that is not empty; `None` at the end.
    pub async fn line(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end).freeze();
                self.read.advance(1);
                if line.is_empty() {
                    continue;
                }
                return Ok(Some(line));
            }
            if self.read.len() > MAX_LINE {
                return Err(ClientError::TooLarge(MAX_LINE as u64).into());
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(ClientError::Unreachable(error.into()).into()),
                // A line without its end is a line that was cut off.
                None => return Ok(None),
            }
        }
    }
}

async fn refusal(response: Response<Incoming>) -> ClientError {
    let status = response.status().as_u16();
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let retry_after_s = header(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok());
    let told =
        header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with(PROBLEM_MEDIA_TYPE));
    let body = http_body_util::Limited::new(response.into_body(), MAX_PROBLEM);
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    match body {
        Ok(bytes) if told => match serde_json::from_slice::<Problem>(&bytes) {
            Ok(mut problem) => {
                problem.status = status;
                problem.retry_after_s = problem.retry_after_s.or(retry_after_s);
                ClientError::Problem(Box::new(problem))
            }
            Err(source) => ClientError::Garbage {
                status,
                source: Some(source),
            },
        },
        _ => ClientError::Foreign {
            status,
            retry_after_s,
        },
    }
}

fn refused_or_away(error: io::Error) -> ClientError {
    match error.downcast::<rustls::Error>() {
        Ok(error) => ClientError::Tls(error),
        Err(error) => ClientError::Unreachable(error.into()),
    }
}
