//! The server's side.

use std::sync::{Arc, PoisonError, RwLock};

use enlist_core::Clock;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
};

use super::time::ClockTime;
use super::{Identity, TlsError, provider};

/// The server's certificate and key, which can be replaced while it serves.
#[derive(Debug)]
pub struct ServerIdentity(RwLock<Arc<CertifiedKey>>);

impl ServerIdentity {
    /// Starts out with `identity`.
    ///
    /// # Errors
    /// It does not hold together.
    pub fn new(identity: Identity) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(identity.certified()?)))
    }

    /// Presents `identity` from the next handshake on.
    ///
    /// # Errors
    /// It does not hold together; the old one stays.
    pub fn replace(&self, identity: Identity) -> Result<(), TlsError> {
        let certified = identity.certified()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    /// The certificate that it presents, DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().map(|leaf| leaf.to_vec())
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// The configuration of the server: HTTP/2 and HTTP/1.1, client certificates welcome and
/// not needed.
///
/// **Any** readable client certificate gets through the handshake, whoever issued it and
/// whether it has expired or not; that the peer holds its key is all that is proved. Who
/// the peer is, and what it may do, is found out by looking the certificate up, on each
/// request.
///
/// # Errors
/// rustls refused.
pub fn server_config(
    identity: Arc<ServerIdentity>,
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let verifier = AnyClient(provider().signature_verification_algorithms);
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets hold the session, the client's certificate included: nothing to keep here.
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
    config.send_tls13_tickets = 1;
    Ok(config)
}

/// Lets every client in and proves possession alone.
#[derive(Debug)]
struct AnyClient(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        ParsedCertificate::try_from(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
