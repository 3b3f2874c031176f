//! What the server proves itself with: a certificate of the service CA's, or one from elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Timestamp, explain};
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerIdentity, TlsError};
use enlist_ops::{Ops, ServerCertificate, ServerName};
use enlist_pki::{Certificate, chain_from_pem};
use tracing::warn;

use crate::Listen;

/// How soon a certificate of the server's own is tried to be had again.
const TRIED_AGAIN: Duration = Duration::from_secs(10);

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Certificate or key of the server can't be read.
    #[error("can't use `{}` for the server's certificate", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate and key don't make a TLS server.
    #[error("certificate and key don't make a TLS server")]
    Tls(#[source] TlsError),
    /// The server's own certificate can't be made.
    #[error("can't make the server's own certificate")]
    Own(#[from] enlist_ops::Error),
}

/// The certificate of the service CA's that the server renews by itself.
pub(crate) struct OwnCertificate {
    identity: Arc<ServerIdentity>,
    names: Vec<ServerName>,
    /// The service CA's certificate that goes with it.
    service: Option<Certificate>,
    renew_at: Timestamp,
}

impl OwnCertificate {
    /// Presents a new one from now on, where it is time or the service CA stands under another root by
    /// now. Says whether it was.
    pub(crate) fn renew(&mut self, ops: &Ops) -> Result<bool, IdentityError> {
        let superseded = self
            .service
            .as_ref()
            .is_some_and(|ca| ops.is_superseded(ca));
        if ops.now() < self.renew_at && !superseded {
            return Ok(false);
        }
        let made = ops.server_certificate(&self.names)?;
        self.identity
            .replace(presented(&made))
            .map_err(IdentityError::Tls)?;
        self.renew_at = made.renew_at;
        self.service = made.chain.last().cloned();
        Ok(true)
    }
}

/// What `listen` asks for, and what is to be renewed of it. Where the service CA's key is in a token that
/// is away, this waits until it is back.
pub(crate) async fn identity(
    ops: &Ops,
    listen: &Listen,
) -> Result<(Arc<ServerIdentity>, Option<OwnCertificate>), IdentityError> {
    if let Some((certificate, key)) = &listen.certificate {
        let identity = read_identity(certificate, key)?;
        let identity = ServerIdentity::new(identity).map_err(IdentityError::Tls)?;
        return Ok((Arc::new(identity), None));
    }
    let names = own_names(listen);
    let made = loop {
        match ops.server_certificate(&names) {
            Err(enlist_ops::Error::SignerUnavailable(cause)) => {
                let why = explain(&*cause);
                warn!(
                    why,
                    "the server has no certificate of its own before the service CA's key is back: trying again in 10 seconds"
                );
                tokio::time::sleep(TRIED_AGAIN).await;
            }
            made => break made?,
        }
    };
    let identity = ServerIdentity::new(presented(&made)).map_err(IdentityError::Tls)?;
    let identity = Arc::new(identity);
    let own = OwnCertificate {
        identity: identity.clone(),
        names,
        service: made.chain.last().cloned(),
        renew_at: made.renew_at,
    };
    Ok((identity, Some(own)))
}

fn presented(made: &ServerCertificate) -> Identity {
    Identity {
        chain: made.chain.iter().map(Certificate::to_rustls).collect(),
        key: made.key.clone(),
    }
}

/// The listen address, localhost, the loopback addresses, the host name, and what else is
/// configured.
fn own_names(listen: &Listen) -> Vec<ServerName> {
    let mut names = listen.names.clone();
    names.push(ServerName::Dns("localhost".to_owned()));
    names.push(ServerName::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    names.push(ServerName::Address(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    if !listen.address.ip().is_unspecified() {
        names.push(ServerName::Address(listen.address.ip()));
    }
    if let Ok(host) = gethostname::gethostname().into_string()
        && is_dns_name(&host)
    {
        names.push(ServerName::Dns(host));
    }
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

fn is_dns_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn read_identity(certificate: &PathBuf, key: &PathBuf) -> Result<Identity, IdentityError> {
    let failed = |path: &PathBuf, source: Box<dyn std::error::Error + Send + Sync>| {
        IdentityError::Certificate {
            path: path.clone(),
            source,
        }
    };
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|e| failed(path, e.into()));
    let chain = chain_from_pem(&read(certificate)?).map_err(|e| failed(certificate, e.into()))?;
    let key_pem = secrecy::SecretString::from(read(key)?);
    let signer = FileKey::from_pkcs8_pem(secrecy::ExposeSecret::expose_secret(&key_pem))
        .map_err(|e| failed(key, e.into()))?;
    Ok(Identity {
        chain: chain.iter().map(Certificate::to_rustls).collect(),
        key: Arc::new(signer),
    })
}
