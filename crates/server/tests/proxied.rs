//! Load balancers that pass TCP on, and say from whom.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use enlist_server::{Listen, Server};
use enlist_testkit::Rig;
use enlist_wire::{Enrollment, NewSecret};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

/// One more door of the rig's server, which believes these addresses.
fn door(rig: &Rig, trusted: &str) -> Server {
    let listen = Listen {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        names: Vec::new(),
        certificate: None,
        max_connections: 64,
        trusted_proxies: vec![trusted.parse().unwrap()],
        drain_delay: Duration::ZERO,
        status: None,
    };
    rig.block_on(Server::start(rig.ops.clone(), listen))
        .unwrap()
}

/// What comes of a device that asks with this before its handshake; nothing where there is no answer.
fn enroll(rig: &Rig, address: SocketAddr, head: &[u8], name: &str, secret: &str) -> String {
    let device = rig.device("lamps", name, secret);
    let body = serde_json::to_vec(&device.request()).unwrap();
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    tcp.write_all(head).unwrap();
    let server = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::new(rig.tls()), server).unwrap();
    let mut stream = StreamOwned::new(tls, tcp);
    let head = format!(
        "POST /v1/device/enroll HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut answer = Vec::new();
    let sent = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
    let _ = sent.and_then(|()| stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_secret_for_one_network_goes_by_the_address_that_a_trusted_balancer_tells() {
    let rig = Rig::new();
    rig.group("lamps", Enrollment::Open);
    let bounded = NewSecret {
        networks: vec!["192.0.2.0/24".to_owned()],
        ..NewSecret::default()
    };
    let secret = rig
        .admin()
        .create_secret("default", "lamps", &bounded)
        .unwrap();
    let secret = secret.secret.expose();
    let server = door(&rig, "127.0.0.0/8");
    let tried = |head: &[u8], name: &str| enroll(&rig, server.address(), head, name, secret);

    let inside = tried(b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "text");
    assert!(inside.contains("BEGIN CERTIFICATE"), "{inside}");
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    binary.extend([192, 0, 2, 8, 198, 51, 100, 1, 0xDC, 4, 1, 0xBB]);
    let inside = tried(&binary, "binary");
    assert!(inside.contains("BEGIN CERTIFICATE"), "{inside}");

    let outside = tried(
        b"PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n",
        "other",
    );
    assert!(outside.contains("secret-network"), "{outside}");
    assert!(outside.contains("203.0.113.9"), "{outside}");
    let own = tried(b"PROXY UNKNOWN\r\n", "own");
    assert!(own.contains("127.0.0.1"), "the balancer's own: {own}");
    rig.block_on(server.stop());
}

#[test]
fn a_balancer_has_to_say_whom_it_passes_on_and_nobody_else_may() {
    let rig = Rig::new();
    let secret = rig.group("lamps", Enrollment::Open);
    let head = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    let trusting = door(&rig, "127.0.0.1");
    assert_eq!(enroll(&rig, trusting.address(), b"", "one", &secret), "");
    let strange = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n";
    assert_eq!(
        enroll(&rig, trusting.address(), strange, "one", &secret),
        ""
    );
    let elsewhere = door(&rig, "192.0.2.1");
    assert_eq!(enroll(&rig, elsewhere.address(), head, "one", &secret), "");
    let plain = enroll(&rig, elsewhere.address(), b"", "one", &secret);
    assert!(plain.contains("BEGIN CERTIFICATE"), "{plain}");
    rig.block_on(trusting.stop());
    rig.block_on(elsewhere.stop());
}
