//! The server's own certificate.

use std::net::IpAddr;
use std::sync::Arc;

use enlist_ca::{SERVER_KEY, make_server_certificate};
use enlist_core::{Serial, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Signer, SubjectName};

use crate::{Error, Ops};

/// A name by which clients call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerName {
    /// A DNS name.
    Dns(String),
    /// An address.
    Address(IpAddr),
}

/// A server certificate, its chain, and its key.
pub struct ServerCertificate {
    /// The server's certificate and the service CA's.
    pub chain: Vec<Certificate>,
    /// The key.
    pub key: Arc<dyn Signer>,
    /// When it should be replaced by a new one: two thirds through its life.
    pub renew_at: Timestamp,
}

impl Ops {
    /// Makes a certificate of the service CA's for a server that is called by `names`.
    ///
    /// # Errors
    /// When there is no name in `names`, or it can't be signed.
    pub fn server_certificate(&self, names: &[ServerName]) -> Result<ServerCertificate, Error> {
        let key = FileKey::generate(SERVER_KEY).map_err(Error::signing)?;
        let hierarchy = self.inner.authorities.hierarchy();
        let service = hierarchy.service();
        let names: Vec<_> = names
            .iter()
            .map(|name| match name {
                ServerName::Dns(name) => SubjectName::Dns(name.clone()),
                ServerName::Address(address) => SubjectName::Ip(*address),
            })
            .collect();
        let serial = Serial::new(&*self.inner.clock, &*self.inner.rng);
        let certificate =
            make_server_certificate(service, key.public_key(), &names, serial, self.now())?;
        let (start, end) = (certificate.not_before(), certificate.not_after());
        Ok(ServerCertificate {
            chain: vec![certificate, service.certificate().clone()],
            key: Arc::new(key),
            renew_at: Timestamp::from_secs(start + (end - start) / 3 * 2),
        })
    }

    /// Whether a server certificate that the service CA issued with this certificate of its own should
    /// be replaced: the service CA has another one by now, under another root.
    pub fn is_superseded(&self, service: &Certificate) -> bool {
        self.inner.authorities.hierarchy().service().certificate() != service
    }
}
