//! A receiver of webhooks and hooks: real HTTPS on a free loopback port, under a CA of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Says what is answered to a request.
type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// A receiver that answers as it is told. It can go down, and come up again at the same port.
pub struct Receiver {
    runtime: Option<tokio::runtime::Runtime>,
    accepting: Option<tokio::task::JoinHandle<()>>,
    address: SocketAddr,
    tls: TlsAcceptor,
    ca_pem: String,
    script: Script,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// `webhook-id`, or nothing.
    pub id: String,
    /// `webhook-timestamp`, or nothing.
    pub timestamp: String,
    /// `webhook-signature`, or nothing.
    pub signature: String,
    /// The body.
    pub body: Vec<u8>,
    /// How many connections there were before its own.
    pub connection: usize,
}

impl Received {
    /// The body, which is JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status, and nothing else.
    Status(u16),
    /// This status and body.
    Body(u16, Vec<u8>),
    /// Go there.
    Redirect(String),
    /// This status, after a while.
    Later(Duration, u16),
    /// This body, and that it is well, after a while.
    BodyLater(Duration, Vec<u8>),
    /// Nothing, ever.
    Never,
    /// The connection is closed.
    Close,
}

impl Receiver {
    /// Starts one that answers as `script` says, with a certificate for `localhost` and 127.0.0.1.
    pub fn start(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = &mut ca.distinguished_name;
        name.push(DnType::CommonName, "a receiver's CA");
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let leaf = CertificateParams::new(names).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(leaf.der().to_vec())],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut receiver = Self {
            runtime: Some(runtime),
            accepting: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: TlsAcceptor::from(Arc::new(config)),
            ca_pem,
            script: Arc::new(script),
            received: Arc::default(),
        };
        receiver.up();
        receiver
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/events", self.address.port())
    }

    /// The CA that its certificate is under.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What has come so far, in that order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Goes down: every connection ends, and no more are taken.
    pub fn down(&mut self) {
        let Some(accepting) = self.accepting.take() else {
            return;
        };
        accepting.abort();
        while !accepting.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Comes up again, at the same port.
    pub fn up(&mut self) {
        let listener = std::net::TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.address = listener.local_addr().unwrap();
        let (tls, script, received) =
            (self.tls.clone(), self.script.clone(), self.received.clone());
        let runtime = self.runtime.as_ref().unwrap();
        self.accepting = Some(runtime.spawn(accept(listener, tls, script, received)));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Whoever hangs is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    tls: TlsAcceptor,
    script: Script,
    received: Arc<Mutex<Vec<Received>>>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let connection = number;
        number += 1;
        let (tls, script, received) = (tls.clone(), script.clone(), received.clone());
        connections.spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| {
                answer(request, connection, script.clone(), received.clone())
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: usize,
    script: Script,
    received: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let header = |name| {
        let value = request.headers().get(name);
        let text = value.and_then(|value| value.to_str().ok());
        text.unwrap_or_default().to_owned()
    };
    let mut one = Received {
        path: request.uri().to_string(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: Vec::new(),
        connection,
    };
    let cut = |_| std::io::Error::other("cut");
    one.body = request.collect().await.map_err(cut)?.to_bytes().to_vec();
    received.lock().unwrap().push(one.clone());
    let mut response = Response::new(Full::default());
    let status = match script(&one) {
        Answer::Status(status) => status,
        Answer::Body(status, body) => {
            *response.body_mut() = Full::new(body.into());
            status
        }
        Answer::Redirect(to) => {
            let headers = response.headers_mut();
            headers.insert("location", to.parse().unwrap());
            307
        }
        Answer::Later(span, status) => {
            tokio::time::sleep(span).await;
            status
        }
        Answer::BodyLater(span, body) => {
            tokio::time::sleep(span).await;
            *response.body_mut() = Full::new(body.into());
            200
        }
        Answer::Never => std::future::pending().await,
        Answer::Close => return Err(std::io::Error::other("closed")),
    };
    *response.status_mut() = status.try_into().unwrap();
    Ok(response)
}
