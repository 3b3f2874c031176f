//! The client's side.

use std::sync::Arc;

use enlist_core::Clock;
use enlist_pki::ChainError;
use enlist_pki::path::{self, ServerTrust};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};

use super::time::ClockTime;
use super::{Identity, TlsError, provider};

/// The sessions that are kept to be resumed: a client has one server, which gives out several at once.
/// rustls would set memory aside for many more.
const SESSIONS: usize = 8;

/// The configuration of a client that believes whom `trust` names and presents
/// `identity`, if it has one. Sessions are resumed within this configuration.
///
/// # Errors
/// The identity does not hold together.
pub fn client_config(
    trust: ServerTrust,
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, TlsError> {
    let algorithms = provider().signature_verification_algorithms;
    build(Arc::new(Verifier { trust, algorithms }), identity, clock)
}

pub(super) fn build(
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, TlsError> {
    let config = ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => {
            let certified = SingleCertAndKey::from(identity.certified()?);
            config.with_client_cert_resolver(Arc::new(certified))
        }
        None => config.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// Asks `pki::path` about the chain and the provider about the handshake.
#[derive(Debug)]
struct Verifier {
    trust: ServerTrust,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        path::verify_server(
            &chain(end_entity, intermediates),
            &self.trust,
            server_name,
            now,
        )
        .map(|()| ServerCertVerified::assertion())
        .map_err(|error| Error::InvalidCertificate(certificate_error(error)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

pub(super) fn chain<'a>(
    end_entity: &CertificateDer<'a>,
    intermediates: &[CertificateDer<'a>],
) -> Vec<CertificateDer<'a>> {
    let mut chain = vec![end_entity.clone()];
    chain.extend_from_slice(intermediates);
    chain
}

/// In rustls' words, which choose the alert and tell callers a wrong clock from the rest.
pub(super) fn certificate_error(error: ChainError) -> CertificateError {
    match error {
        ChainError::UntrustedIssuer => CertificateError::UnknownIssuer,
        ChainError::Expired => CertificateError::Expired,
        ChainError::NotYetValid => CertificateError::NotValidYet,
        ChainError::WrongSignature(_) => CertificateError::BadSignature,
        ChainError::WrongName => CertificateError::NotValidForName,
        ChainError::WrongUsage => CertificateError::InvalidPurpose,
        ChainError::Malformed(_) => CertificateError::BadEncoding,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
}
