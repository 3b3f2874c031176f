//! The server itself looks at each request, not at the connection that it came over.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use enlist_keys::tls::{ServerTrust, client_config};
use enlist_pki::Anchors;
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{Enrollment, Problem};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};

use crate::bench::act;

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn tls(rig: &Rig, device: &FakeDevice) -> Arc<ClientConfig> {
    let trust = ServerTrust {
        anchors: Anchors::from_pem(&rig.ops.root().to_pem()).unwrap(),
        service_anchors: Anchors::default(),
    };
    let config = client_config(trust, Some(device.identity()), rig.clock.clone());
    Arc::new(config.unwrap())
}

fn connect(rig: &Rig, config: &Arc<ClientConfig>) -> Connection {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(config.clone(), name).unwrap();
    let stream = TcpStream::connect(rig.address()).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    StreamOwned::new(connection, stream)
}

/// Asks who it is over a connection that stays open; the slug of the refusal, where it is one.
fn ask(connection: &mut Connection) -> Result<(), String> {
    let request = "GET /v1/device HTTP/1.1\r\nhost: localhost\r\n\r\n";
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = connection.read(&mut part).unwrap();
        assert!(read > 0, "the connection was not kept");
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        if body.len() < length.unwrap().parse().unwrap() {
            continue;
        }
        if head.starts_with("http/1.1 200") {
            return Ok(());
        }
        let problem: Problem = serde_json::from_str(body).unwrap();
        return Err(problem.slug().to_owned());
    }
}

#[test]
fn a_kept_connection_does_not_outlive_the_certificate() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let mut connection = connect(&rig, &tls(&rig, &device));
    assert_eq!(ask(&mut connection), Ok(()));
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    assert_eq!(ask(&mut connection), Err("device-suspended".to_owned()));
    rig.admin()
        .resume("default", "pumps", "pump-1", &act())
        .unwrap();
    assert_eq!(ask(&mut connection), Ok(()));
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &act())
        .unwrap();
    assert_eq!(ask(&mut connection), Err("certificate-revoked".to_owned()));
}

#[test]
fn a_resumed_session_does_not_outlive_the_certificate() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let config = tls(&rig, &device);
    let mut first = connect(&rig, &config);
    assert_eq!(ask(&mut first), Ok(()));
    assert_eq!(first.conn.handshake_kind(), Some(HandshakeKind::Full));
    let mut resumed = connect(&rig, &config);
    assert_eq!(ask(&mut resumed), Ok(()));
    assert_eq!(resumed.conn.handshake_kind(), Some(HandshakeKind::Resumed));
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &act())
        .unwrap();
    let mut again = connect(&rig, &config);
    assert_eq!(ask(&mut again), Err("certificate-revoked".to_owned()));
    assert_eq!(again.conn.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn a_decommissioning_device_may_only_ask_on_the_connection_it_has() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    let mut connection = connect(&rig, &tls(&rig, &device));
    assert_eq!(ask(&mut connection), Ok(()));
    rig.admin()
        .decommission("default", "pumps", "pump-1", &act())
        .unwrap();
    assert_eq!(ask(&mut connection), Ok(()), "it has to learn of it");
    assert_eq!(refusal(device.renew(&rig)), "device-decommissioning");
}
