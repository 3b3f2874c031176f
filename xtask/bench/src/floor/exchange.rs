//! The bare exchange: a TLS 1.3 connection, a request read by its length, a fixed reply of the
//! right length. No HTTP library, nothing decided, nothing recorded.

use std::io::{self, Read as _, stdin};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use enlist_ca::{Authority, CA_KEY, ROOT_KEY, SERVER_KEY};
use enlist_core::{Clock as _, Serial, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Signer as _, SubjectName};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The length of the reply that a device gets when it enrolls, within a few bytes.
const REPLY: usize = 3000;

/// Serves until standard input ends. The address goes to standard output, the root to root.pem.
pub(crate) fn serve() -> Result<()> {
    let (config, root) = config()?;
    std::fs::write("root.pem", root)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("https://{}", listener.local_addr()?);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A client that goes away ends its connection and nothing else.
                tokio::spawn(connection(socket, acceptor.clone()));
            }
        });
        tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new())).await??;
        Ok(())
    })
}

async fn connection(socket: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = BufReader::new(acceptor.accept(socket).await?);
    let mut reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {REPLY}\r\n\r\n").into_bytes();
    reply.resize(reply.len() + REPLY, b' ');
    let mut line = String::new();
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        stream.write_all(&reply).await?;
        stream.flush().await?;
    }
}

/// A chain of the same shape and kinds of key as the server's: leaf and service CA, below a root.
pub(crate) fn config() -> Result<(ServerConfig, String)> {
    let now = SystemClock.now();
    let serial = || Serial::new(&SystemClock, &SystemRng);
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
