//! TLS over keys that need not be exportable: rustls configurations for the CLI, the
//! agent and the server. TLS 1.3, and 1.2 where the feature `tls12` is on; one
//! cryptographic provider, the time from the program's own clock.

mod client;
mod dates;
mod key;
mod server;
mod time;

use std::sync::Arc;

use enlist_pki::Signer;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

pub use client::client_config;
pub use dates::{PresentedChain, client_config_for_time};
pub use enlist_pki::path::ServerTrust;
pub use server::{ServerIdentity, server_config};

/// A certificate chain, leaf first, and the key it certifies.
#[derive(Clone)]
pub struct Identity {
    /// The chain to present: the leaf, then the CAs up to the root, which is left out.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the leaf.
    pub key: Arc<dyn Signer>,
}

impl Identity {
    fn certified(self) -> Result<Arc<CertifiedKey>, TlsError> {
        let certified = CertifiedKey::new(self.chain, Arc::new(key::TlsKey(self.key)));
        certified.keys_match().map_err(TlsError::Identity)?;
        Ok(Arc::new(certified))
    }
}

/// A TLS configuration that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The chain is empty, unreadable, or certifies another key.
    #[error("the certificate and the private key do not make an identity")]
    Identity(#[source] rustls::Error),
    /// rustls refused.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
