//! A small PKI for a peer: the same kinds of keys as this program's.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use enlist_ca::{Authority, CA_KEY, ROOT_KEY, SERVER_KEY};
use enlist_core::{Clock as _, Serial, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_pki::path::Anchors;
use enlist_pki::{Certificate, Signer as _, SubjectName};
use rustls::ClientConfig;
use rustls::client::Resumption;
use secrecy::ExposeSecret as _;

/// Writes `root.pem`, an issuing CA below it (`ca.pem`, `ca.key`), and a server's certificate with the
/// CA's behind it (`server.pem`, `server.key`). Returns the CA's certificate.
pub(super) fn write(directory: &Path) -> Result<String> {
    let now = SystemClock.now();
    let serial = || Serial::new(&SystemClock, &SystemRng);
    let root = enlist_ca::make_root(Arc::new(FileKey::generate(ROOT_KEY)?), serial(), now)?;
    let key = FileKey::generate(CA_KEY)?;
    let private = key.to_pkcs8_pem()?;
    let certificate = enlist_ca::make_service_ca(&root, key.public_key(), serial(), now)?;
    let ca = Authority::new(certificate, Arc::new(key))?;
    let server = FileKey::generate(SERVER_KEY)?;
    let names = [
        SubjectName::Dns("localhost".to_owned()),
        SubjectName::Ip("127.0.0.1".parse()?),
    ];
    let leaf = enlist_ca::make_server_certificate(&ca, server.public_key(), &names, serial(), now)?;
    let chain = leaf.to_pem() + &ca.certificate().to_pem();
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text);
    write("root.pem", &root.certificate().to_pem())?;
    write("ca.pem", &ca.certificate().to_pem())?;
    write("ca.key", private.expose_secret())?;
    write("server.pem", &chain)?;
    write("server.key", server.to_pkcs8_pem()?.expose_secret())?;
    Ok(ca.certificate().to_pem())
}

/// How a client of a peer's connects: it believes servers of this CA, and resumes no session.
pub(super) fn tls(ca: &str, identity: Option<Identity>) -> Result<Arc<ClientConfig>> {
    let trust = ServerTrust {
        anchors: Anchors::default(),
        service_anchors: Anchors::from_pem(ca)?,
    };
    let mut tls = client_config(trust, identity, Arc::new(SystemClock))?;
    tls.resumption = Resumption::disabled();
    Ok(Arc::new(tls))
}

/// Who a device is, from its key and its chain, leaf first.
pub(super) fn identity(chain: &[&str], key: Arc<FileKey>) -> Result<Identity> {
    let chain = chain
        .iter()
        .map(|pem| Ok(Certificate::from_pem(pem)?.to_rustls()));
    Ok(Identity {
        chain: chain.collect::<Result<_>>()?,
        key,
    })
}
