//! The bare exchange: a TLS 1.3 connection, a request read by its length, a fixed reply of the
//! right length. Plain threads, no HTTP library, nothing decided, nothing recorded.

use std::io::{BufRead as _, BufReader, Read as _, Write as _, stdin};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};
use enlist_ca::{Authority, CA_KEY, ROOT_KEY, SERVER_KEY};
use enlist_core::{Clock as _, Serial, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Signer as _, SubjectName};
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use secrecy::ExposeSecret as _;

/// As many as there are connections at once, so that none waits for another.
const THREADS: usize = 96;
/// The length of the reply that a device gets when it enrolls, within a few bytes.
const REPLY: usize = 3000;

/// Serves until standard input ends. The address goes to standard output, the root to root.pem.
pub(crate) fn serve() -> Result<()> {
    let (config, root) = config()?;
    std::fs::write("root.pem", root)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (listener, config) = (Arc::new(listener), Arc::new(config));
    for _ in 0..THREADS {
        let (listener, config) = (listener.clone(), config.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away ends its connection and nothing else.
                let _ = connection(stream, &config);
            }
        });
    }
    println!("https://{address}");
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn connection(socket: TcpStream, config: &Arc<ServerConfig>) -> Result<()> {
    socket.set_nodelay(true)?;
    let tls = ServerConnection::new(config.clone())?;
    let mut stream = BufReader::new(StreamOwned::new(tls, socket));
    let mut reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {REPLY}\r\n\r\n").into_bytes();
    reply.resize(reply.len() + REPLY, b' ');
    let mut line = String::new();
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body)?;
        let out = stream.get_mut();
        out.write_all(&reply)?;
        out.flush()?;
    }
}

/// A chain of the same shape and kinds of key as the server's: leaf and service CA, below a root.
fn config() -> Result<(ServerConfig, String)> {
    let now = SystemClock.now();
    let serial = || Serial::generate(&SystemRng);
    let root = Arc::new(FileKey::generate(ROOT_KEY)?);
    let root = enlist_ca::make_root(root, serial(), now)?;
    let service = Arc::new(FileKey::generate(CA_KEY)?);
    let certificate = enlist_ca::make_service_ca(&root, service.public_key(), serial(), now)?;
    let service = Authority::new(certificate, service)?;
    let key = FileKey::generate(SERVER_KEY)?;
    let names = [
        SubjectName::Dns("localhost".to_owned()),
        SubjectName::Ip("127.0.0.1".parse()?),
    ];
    let leaf =
        enlist_ca::make_server_certificate(&service, key.public_key(), &names, serial(), now)?;
    let chain = [&leaf, service.certificate()].map(Certificate::to_rustls);
    let der = key.to_pkcs8_der()?;
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der.expose_secret().to_vec()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.to_vec(), der)
        .context("the chain does not fit its key")?;
    // As every TLS server does, and the one that is measured.
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok((config, root.certificate().to_pem()))
}
