//! TLS handshakes in memory, over the hierarchy: who believes whom.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{NOW, Rig, WEEK, key, plain_csr};
use enlist_core::{CertificateProfile, Clock, Timestamp};
use enlist_keys::FileKey;
use enlist_keys::tls::{
    Identity, ServerIdentity, ServerTrust, TlsError, client_config, client_config_for_time,
    server_config,
};
use enlist_pki::path::Anchors;
use enlist_pki::{Certificate, KeyKind};
use rustls::pki_types::CertificateDer;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind, ProtocolVersion,
    ServerConfig, ServerConnection,
};

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn at(time: Timestamp) -> Arc<dyn Clock> {
    Arc::new(At(time))
}

fn trust(rig: &Rig) -> ServerTrust {
    ServerTrust {
        anchors: Anchors::from_der([rig.root.certificate().der()]).unwrap(),
        service_anchors: Anchors::default(),
    }
}

fn identity(chain: &[&Certificate], key: &Arc<FileKey>) -> Identity {
    Identity {
        chain: chain.iter().map(|one| one.to_rustls()).collect(),
        key: Arc::clone(key) as _,
    }
}

fn server_of(rig: &Rig) -> Arc<ServerConfig> {
    let (certificate, key) = rig.server(&["enlist.example", "127.0.0.1"]);
    let identity = identity(&[&certificate, rig.service.certificate()], &key);
    let identity = Arc::new(ServerIdentity::new(identity).unwrap());
    Arc::new(server_config(identity, at(NOW)).unwrap())
}

fn client_of(rig: &Rig, identity: Option<Identity>) -> Arc<ClientConfig> {
    Arc::new(client_config(trust(rig), identity, at(NOW)).unwrap())
}

struct Ends {
    client: ClientConnection,
    server: ServerConnection,
}

/// Runs a handshake to its end, tickets included.
fn handshake(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &'static str,
) -> Result<Ends, Error> {
    let mut ends = Ends {
        client: ClientConnection::new(Arc::clone(client), name.try_into().unwrap())?,
        server: ServerConnection::new(Arc::clone(server))?,
    };
    for _ in 0..8 {
        let mut wire = Vec::new();
        while ends.client.wants_write() {
            ends.client.write_tls(&mut wire).unwrap();
        }
        let mut read = &wire[..];
        while !read.is_empty() {
            ends.server.read_tls(&mut read).unwrap();
            ends.server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while ends.server.wants_write() {
            ends.server.write_tls(&mut wire).unwrap();
        }
        let mut read = &wire[..];
        while !read.is_empty() {
            ends.client.read_tls(&mut read).unwrap();
            ends.client.process_new_packets()?;
        }
    }
    assert!(!ends.client.is_handshaking() && !ends.server.is_handshaking());
    Ok(ends)
}

#[track_caller]
fn refused_as(result: Result<Ends, Error>, expected: &CertificateError) {
    match result {
        Err(Error::InvalidCertificate(error)) => assert_eq!(error, *expected),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("believed"),
    }
}

#[test]
fn a_client_believes_its_server_by_name_and_by_address() {
    let rig = Rig::new();
    let (client, server) = (client_of(&rig, None), server_of(&rig));
    for name in ["enlist.example", "127.0.0.1"] {
        let ends = handshake(&client, &server, name).unwrap();
        assert_eq!(
            ends.client.protocol_version(),
            Some(ProtocolVersion::TLSv1_3)
        );
        assert!(ends.server.peer_certificates().is_none());
    }
    refused_as(
        handshake(&client, &server, "other.example"),
        &CertificateError::NotValidForName,
    );
}

#[test]
fn a_server_of_another_installation_is_not_believed() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    refused_as(
        handshake(
            &client_of(&ours, None),
            &server_of(&theirs),
            "enlist.example",
        ),
        &CertificateError::UnknownIssuer,
    );
}

/// The attack of the design, all the way through a handshake.
#[test]
fn a_device_that_poses_as_the_server_gets_nowhere() {
    let mut rig = Rig::new();
    let client = client_of(&rig, None);
    (rig.name, rig.group, rig.tenant) = (
        "enlist".parse().unwrap(),
        "example".parse().unwrap(),
        "com".parse().unwrap(),
    );
    let profile = CertificateProfile {
        server_auth: true,
        ..CertificateProfile::default()
    };
    let key = key(KeyKind::P256);
    let device = rig.device(&plain_csr(&*key), &profile, WEEK, NOW).unwrap();
    for chain in [
        vec![&device, rig.issuing.certificate()],
        vec![
            &device,
            rig.issuing.certificate(),
            rig.service.certificate(),
        ],
    ] {
        let posing = ServerIdentity::new(identity(&chain, &key)).unwrap();
        let server = Arc::new(server_config(Arc::new(posing), at(NOW)).unwrap());
        refused_as(
            handshake(&client, &server, "enlist.example.com"),
            &CertificateError::UnknownIssuer,
        );
    }
}

#[test]
fn client_certificates_of_every_kind_of_key_arrive() {
    let rig = Rig::new();
    let server = server_of(&rig);
    for kind in [
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::Ed25519,
        KeyKind::Rsa(2048),
    ] {
        let key = key(kind);
        let profile = CertificateProfile::default();
        let device = rig.device(&plain_csr(&*key), &profile, WEEK, NOW).unwrap();
        let identity = identity(&[&device, rig.issuing.certificate()], &key);
        let ends = handshake(&client_of(&rig, Some(identity)), &server, "enlist.example").unwrap();
        let presented = ends.server.peer_certificates().unwrap();
        assert_eq!(presented[0], device.to_rustls(), "{kind}");
    }
}

#[test]
fn tls_1_2_works_with_every_kind_of_key() {
    let rig = Rig::new();
    let server = server_of(&rig);
    for kind in [KeyKind::P256, KeyKind::Ed25519, KeyKind::Rsa(2048)] {
        let key = key(kind);
        let profile = CertificateProfile::default();
        let device = rig.device(&plain_csr(&*key), &profile, WEEK, NOW).unwrap();
        // The same verifier and key, behind a configuration that knows TLS 1.2 alone.
        let config = client_of(&rig, Some(identity(&[&device], &key)));
        let mut old = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_client_cert_resolver(Arc::clone(&config.client_auth_cert_resolver));
        let believing = Arc::new(Believing);
        old.dangerous().set_certificate_verifier(believing);
        let ends = handshake(&Arc::new(old), &server, "enlist.example").unwrap();
        assert_eq!(
            ends.server.protocol_version(),
            Some(ProtocolVersion::TLSv1_2)
        );
        assert_eq!(
            ends.server.peer_certificates().unwrap()[0],
            device.to_rustls()
        );
    }
}

#[test]
fn a_certificate_from_elsewhere_or_past_its_time_gets_through_tls_only() {
    let (ours, theirs) = (Rig::new(), Rig::new());
    let server = server_of(&ours);
    let key = key(KeyKind::P256);
    let long_ago = NOW - Duration::from_secs(30 * 24 * 3600);
    for (rig, then) in [(&theirs, NOW), (&ours, long_ago)] {
        let profile = CertificateProfile::default();
        let device = rig.device(&plain_csr(&*key), &profile, WEEK, then).unwrap();
        let client = client_of(&ours, Some(identity(&[&device], &key)));
        let ends = handshake(&client, &server, "enlist.example").unwrap();
        assert_eq!(
            ends.server.peer_certificates().unwrap()[0],
            device.to_rustls()
        );
    }
}

#[test]
fn a_certificate_without_its_key_gets_nowhere() {
    let rig = Rig::new();
    let device = rig.plain_device();
    let wrong = identity(&[&device], &key(KeyKind::P256));
    // We notice ourselves …
    assert!(matches!(
        client_config(trust(&rig), Some(wrong.clone()), at(NOW)),
        Err(TlsError::Identity(_))
    ));
    assert!(matches!(
        ServerIdentity::new(wrong),
        Err(TlsError::Identity(_))
    ));
    // … and the server notices a client that does not.
    let thief = rcgen::KeyPair::generate().unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(
        &rustls::pki_types::PrivateKeyDer::Pkcs8(thief.serialize_der().into()),
    )
    .unwrap();
    let stolen = rustls::sign::CertifiedKey::new(vec![device.to_rustls()], key);
    let mut client = (*client_of(&rig, None)).clone();
    client.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(stolen));
    let result = handshake(&Arc::new(client), &server_of(&rig), "enlist.example");
    refused_as(result, &CertificateError::BadSignature);
}

#[test]
fn a_resumed_session_still_names_its_client() {
    let rig = Rig::new();
    let server = server_of(&rig);
    let key = key(KeyKind::P256);
    let profile = CertificateProfile::default();
    let device = rig.device(&plain_csr(&*key), &profile, WEEK, NOW).unwrap();
    let client = client_of(&rig, Some(identity(&[&device], &key)));
    let first = handshake(&client, &server, "enlist.example").unwrap();
    assert_eq!(first.server.handshake_kind(), Some(HandshakeKind::Full));
    let second = handshake(&client, &server, "enlist.example").unwrap();
    assert_eq!(second.server.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(
        second.server.peer_certificates().unwrap()[0],
        device.to_rustls()
    );
}

#[test]
fn the_server_presents_a_renewed_certificate_at_once() {
    let rig = Rig::new();
    let (old, old_key) = rig.server(&["enlist.example"]);
    let (new, new_key) = rig.server(&["enlist.example"]);
    let service = rig.service.certificate();
    let current = Arc::new(ServerIdentity::new(identity(&[&old, service], &old_key)).unwrap());
    let server = Arc::new(server_config(Arc::clone(&current), at(NOW)).unwrap());
    let presented = || -> CertificateDer<'static> {
        let ends = handshake(&client_of(&rig, None), &server, "enlist.example").unwrap();
        ends.client.peer_certificates().unwrap()[0].clone()
    };
    assert_eq!(presented(), old.to_rustls());
    // One that does not fit leaves the old one in place.
    assert!(
        current
            .replace(identity(&[&new, service], &old_key))
            .is_err()
    );
    assert_eq!(presented(), old.to_rustls());
    current
        .replace(identity(&[&new, service], &new_key))
        .unwrap();
    assert_eq!(presented(), new.to_rustls());
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_server() {
    let rig = Rig::new();
    let server = server_of(&rig);
    let with_clock = |secs| {
        let clock = at(Timestamp::from_secs(secs));
        Arc::new(client_config(trust(&rig), None, clock).unwrap())
    };
    for (secs, error) in [
        (0, CertificateError::NotValidYet),
        (-1_000_000, CertificateError::NotValidYet),
        (NOW.as_secs() + 100 * 24 * 3600, CertificateError::Expired),
    ] {
        refused_as(
            handshake(&with_clock(secs), &server, "enlist.example"),
            &error,
        );
    }
}

#[test]
fn a_device_without_the_time_can_ask_and_check_the_answer() {
    let rig = Rig::new();
    let server = server_of(&rig);
    let (client, presented) =
        client_config_for_time(trust(&rig), at(Timestamp::from_secs(0))).unwrap();
    let client = Arc::new(client);
    assert!(presented.holds_at(NOW).is_err());
    handshake(&client, &server, "enlist.example").unwrap();
    presented.holds_at(NOW).unwrap();
    // A server that lies about the time by more than its certificate's lifetime is found out.
    let lie = NOW + Duration::from_secs(91 * 24 * 3600);
    assert!(presented.holds_at(lie).unwrap_err().is_about_dates());
    assert!(presented.holds_at(Timestamp::from_secs(0)).is_err());
    // All but the dates is verified as ever.
    refused_as(
        handshake(&client, &server, "other.example"),
        &CertificateError::NotValidForName,
    );
    refused_as(
        handshake(&client, &server_of(&Rig::new()), "enlist.example"),
        &CertificateError::UnknownIssuer,
    );
}

/// Believes any server: for clients whose own belief is not what is tested.
#[derive(Debug)]
struct Believing;

impl rustls::client::danger::ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let algorithms = provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        unreachable!("TLS 1.2 alone")
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
