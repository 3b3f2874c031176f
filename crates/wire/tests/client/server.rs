//! A TLS server that says what it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use enlist_wire::Client;
use rcgen::{CertificateParams, CertifiedIssuer, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// What the server does with the connection after one request.
#[derive(Clone, Copy, PartialEq)]
pub enum Then {
    KeepOpen,
    Close,
}

pub struct Server {
    pub url: String,
    pub requests: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<AtomicU32>,
    pub root: CertificateDer<'static>,
}

impl Server {
    /// A server that answers every request with `reply`, as it stands.
    pub fn saying(reply: &str, then: Then) -> Self {
        let (root, issuer) = root();
        let config = server_config(&issuer, None);
        Self::start(root, config, reply.to_owned(), then)
    }

    pub fn start(
        root: CertificateDer<'static>,
        config: Arc<ServerConfig>,
        reply: String,
        then: Then,
    ) -> Self {
        let listener = TcpListener::bind("localhost:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let connections: Arc<AtomicU32> = Arc::default();
        let (seen, count) = (requests.clone(), connections.clone());
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
                let (config, reply, seen) = (config.clone(), reply.clone(), seen.clone());
                thread::spawn(move || serve(socket, config, &reply, then, &seen));
            }
        });
        Self {
            url,
            requests,
            connections,
            root,
        }
    }

    pub fn client(&self) -> Client {
        self.client_with(rustls::ConfigBuilder::<ClientConfig, _>::with_no_client_auth)
    }

    pub fn client_with(
        &self,
        identity: impl FnOnce(
            rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
        ) -> ClientConfig,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = Arc::new(identity(builder));
        Client::new(&self.url, config, Duration::from_secs(5)).unwrap()
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub fn root() -> (CertificateDer<'static>, CertifiedIssuer<'static, KeyPair>) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    (issuer.der().clone(), issuer)
}

pub fn certify(
    issuer: &Issuer<'_, KeyPair>,
    years: i32,
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2000 + years, 1, 1);
    let certificate = params.signed_by(&key, issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    (certificate.der().clone(), key.into())
}

pub fn server_config(
    issuer: &Issuer<'_, KeyPair>,
    clients: Option<CertificateDer<'static>>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut roots = RootCertStore::empty();
            roots.add(root).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (certificate, key) = certify(issuer, 99);
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    reply: &str,
    then: Then,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, socket);
    loop {
        let request = read_request(&mut stream)?;
        seen.lock().unwrap().push(request);
        stream.write_all(reply.as_bytes()).ok()?;
        stream.flush().ok()?;
        if then == Then::Close {
            return None;
        }
    }
}

fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(more) => request.extend(&buffer[..more]),
        }
    }
}

pub fn reply(status: &str, kind: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    )
}

pub fn ok(body: &str) -> String {
    reply("200 OK", "application/json", "", body)
}
