//! TLS handshakes in memory, the client's key being the one to try.

use std::sync::Arc;

use enlist_core::SystemClock;
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerIdentity, ServerTrust, client_config, server_config};
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, KeyKind, Signer, sign_certificate,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};

/// Runs a handshake in this version in which the client proves that it has `key`.
pub fn handshake_with(
    key: &Arc<dyn Signer>,
    version: &'static SupportedProtocolVersion,
) -> Result<(), Error> {
    let server_key: Arc<dyn Signer> = Arc::new(FileKey::generate(KeyKind::P256).unwrap());
    let server = ServerIdentity::new(identity(&server_key)).unwrap();
    let server = server_config(Arc::new(server), Arc::new(SystemClock)).unwrap();
    let ours = client_config(
        ServerTrust::default(),
        Some(identity(key)),
        Arc::new(SystemClock),
    )
    .unwrap();
    // The same key, behind a configuration that knows this version alone and believes anybody.
    let mut config = ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(RootCertStore::empty())
        .with_client_cert_resolver(Arc::clone(&ours.client_auth_cert_resolver));
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(Believing));

    let mut client =
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap())?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    for _ in 0..8 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut read = &wire[..];
        while !read.is_empty() {
            server.read_tls(&mut read).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut read = &wire[..];
        while !read.is_empty() {
            client.read_tls(&mut read).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    assert_eq!(server.protocol_version(), Some(version.version));
    let presented = &server.peer_certificates().unwrap()[0];
    let presented = Certificate::from_der(presented).unwrap();
    assert_eq!(&presented.public_key().unwrap(), key.public_key());
    Ok(())
}

fn identity(key: &Arc<dyn Signer>) -> Identity {
    let name = DistinguishedName::new(&[(Attribute::CommonName, "localhost")]).unwrap();
    let spec = CertificateSpec {
        serial: &[1],
        issuer: &name,
        subject: &name,
        public_key: key.public_key(),
        not_before: 0,
        not_after: 4_000_000_000,
        extensions: &[],
    };
    Identity {
        chain: vec![sign_certificate(&spec, &**key).unwrap().to_rustls()],
        key: Arc::clone(key),
    }
}

#[derive(Debug)]
struct Believing;

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
        ]
    }
}
