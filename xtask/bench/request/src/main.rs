//! What a program weighs that makes one HTTPS request and does nothing else: the floor beside which the
//! agent's size and memory are measured. The same TLS library and cryptography, built the same way.
//!
//! `enlist-bench-request ROOT.pem HOST:PORT` prints the first line of the reply to `GET /healthz`.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::{env, fs, io};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

/// The most of a reply that is read.
const MOST: u64 = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(root), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: enlist-bench-request ROOT.pem HOST:PORT".into());
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(root)?)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = address.rsplit_once(':').map_or(&*address, |parts| parts.0);
    let name = ServerName::try_from(host.to_owned())?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut socket = TcpStream::connect(&address)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut reply = String::new();
    let read = stream.take(MOST).read_to_string(&mut reply);
    match read {
        // A server may end the connection without TLS's word of farewell.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error.into()),
        _ => println!("{}", reply.lines().next().unwrap_or_default()),
    }
    Ok(())
}
