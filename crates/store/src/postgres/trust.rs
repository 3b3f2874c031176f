//! Whether the database's server is who it should be.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::der::Decode;

/// Whom to take for the database. That the other side holds the key of the certificate that it shows is
/// verified in any case.
#[derive(Debug)]
pub(super) struct Trust {
    /// Who vouches for the server; `None` where nobody has to.
    anchors: Option<Anchors>,
    /// Whether the certificate has to name it, too.
    named: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
struct Anchors {
    store: RootCertStore,
    /// The same as they are: one that signed itself is often both, the CA's and the server's.
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    pub(super) fn anybody(provider: &CryptoProvider) -> Result<Self, Error> {
        Ok(Self {
            anchors: None,
            named: false,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    pub(super) fn any_name(
        roots: Vec<CertificateDer<'static>>,
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone())?;
        }
        Ok(Self {
            anchors: Some(Anchors {
                store,
                certificates: roots,
            }),
            named: false,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    pub(super) fn by_name(
        roots: Vec<CertificateDer<'static>>,
        provider: &CryptoProvider,
    ) -> Result<Self, Error> {
        Ok(Self {
            named: true,
            ..Self::any_name(roots, provider)?
        })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(anchors) = &self.anchors else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if anchors.certificates.contains(end_entity) {
            in_force(end_entity, now)?;
        } else {
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &anchors.store,
                intermediates,
                now,
                self.algorithms.all,
            )?;
        }
        if self.named {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
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

/// One that is trusted as it is has its dates to keep all the same.
fn in_force(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed =
        x509_cert::Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = parsed.tbs_certificate().validity();
    let now = now.as_secs();
    if now < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
