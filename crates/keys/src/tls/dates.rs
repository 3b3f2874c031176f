//! One request by a device that does not know the time.

use std::sync::{Arc, Mutex, PoisonError};

use enlist_core::{Clock, Timestamp};
use enlist_pki::ChainError;
use enlist_pki::path::{self, ServerTrust};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::client::{build, certificate_error, chain};
use super::{TlsError, provider};

/// The configuration for asking a server the time, and nothing else, when the clock can't
/// be right: the chain is verified in all but its dates. Whatever the server answers is
/// to be believed only if [`PresentedChain::holds_at`] says so for the time it gives.
///
/// No identity is presented, and no session resumed.
///
/// # Errors
/// rustls refused.
pub fn client_config_for_time(
    trust: ServerTrust,
    clock: Arc<dyn Clock>,
) -> Result<(ClientConfig, Arc<PresentedChain>), TlsError> {
    let presented = Arc::new(PresentedChain {
        trust,
        algorithms: provider().signature_verification_algorithms,
        last: Mutex::new(None),
    });
    let verifier = Arc::new(Dateless(Arc::clone(&presented)));
    let mut config = build(verifier, None, clock)?;
    config.resumption = rustls::client::Resumption::disabled();
    Ok((config, presented))
}

/// What the server presented last.
#[derive(Debug)]
pub struct PresentedChain {
    trust: ServerTrust,
    algorithms: WebPkiSupportedAlgorithms,
    last: Mutex<Option<(Vec<CertificateDer<'static>>, ServerName<'static>)>>,
}

impl PresentedChain {
    /// Verifies the chain once more, dates and all, as of `time`.
    ///
    /// # Errors
    /// It does not hold then, or none was presented.
    pub fn holds_at(&self, time: Timestamp) -> Result<(), ChainError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (chain, name) = last.as_ref().ok_or(ChainError::UntrustedIssuer)?;
        path::verify_server(chain, &self.trust, name, time.as_secs())
    }
}

#[derive(Debug)]
struct Dateless(Arc<PresentedChain>);

impl ServerCertVerifier for Dateless {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = chain(end_entity, intermediates);
        // A chain with no moment at which all of it is valid is wrong in more than dates.
        path::latest_not_before(&chain)
            .ok_or(ChainError::UntrustedIssuer)
            .and_then(|time| path::verify_server(&chain, &self.0.trust, server_name, time))
            .map_err(|error| Error::InvalidCertificate(certificate_error(error)))?;
        let chain = chain.into_iter().map(CertificateDer::into_owned).collect();
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((chain, server_name.to_owned()));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.algorithms.supported_schemes()
    }
}
