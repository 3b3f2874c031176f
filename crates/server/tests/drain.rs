//! A server that is about to end: it says so first, and goes on serving until nobody is sent to it any more.

#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use enlist_server::{Listen, Server};
use enlist_testkit::{Cluster, FakeDevice, Kept, PostgresLab, Rig};
use enlist_wire::{Client, Enrollment};

const DELAY: Duration = Duration::from_secs(2);

/// One more door of the rig's server, which is closed in good order.
fn door(rig: &Rig, drain_delay: Duration) -> Server {
    let listen = Listen {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        names: Vec::new(),
        certificate: None,
        max_connections: 64,
        trusted_proxies: Vec::new(),
        drain_delay,
        status: None,
    };
    rig.block_on(Server::start(rig.ops.clone(), listen))
        .unwrap()
}

/// A connection to that door.
fn connect(rig: &Rig, address: SocketAddr) -> Kept {
    Kept::open(rig.tls(), address)
}

#[test]
fn a_server_that_is_told_to_end_is_not_ready_and_serves_until_the_delay_is_over() {
    let rig = Rig::new();
    let server = door(&rig, DELAY);
    let address = server.address();
    let mut kept = connect(&rig, address);
    let before = kept.ask("/readyz");
    assert!(before.starts_with("http/1.1 200"), "{before}");
    assert!(!before.contains("connection: close"), "{before}");
    let begun = Instant::now();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| rig.block_on(server.stop()));
        thread::sleep(Duration::from_millis(200));
        // Who is kept is asked to leave, with an answer.
        let last = kept.ask("/healthz");
        assert!(last.starts_with("http/1.1 200"), "{last}");
        assert!(last.contains("connection: close"), "{last}");
        kept.expect_end();
        // Who is sent here all the same is served.
        let late = connect(&rig, address).ask("/v1/time");
        assert!(late.starts_with("http/1.1 200"), "{late}");
        let ready = connect(&rig, address).ask("/readyz");
        assert!(ready.starts_with("http/1.1 503"), "{ready}");
        assert!(ready.contains("urn:enlist:problem:stopping"), "{ready}");
        assert!(
            begun.elapsed() < DELAY,
            "all of this before the delay is over"
        );
        stopping.join().unwrap();
    });
    assert!(begun.elapsed() >= DELAY);
    assert!(begun.elapsed() < DELAY + Duration::from_secs(5));
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn who_has_just_been_let_in_is_heard_before_the_server_ends() {
    let rig = Rig::new();
    let server = door(&rig, Duration::ZERO);
    let mut early = connect(&rig, server.address());
    early.greet();
    let begun = Instant::now();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| rig.block_on(server.stop()));
        thread::sleep(Duration::from_millis(300));
        let answer = early.ask("/healthz");
        assert!(answer.starts_with("http/1.1 200"), "{answer}");
        stopping.join().unwrap();
    });
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn devices_that_wait_are_let_go_when_the_server_is_told_to_end() {
    let rig = Rig::new();
    let server = door(&rig, DELAY);
    let secret = rig.group("lamps", Enrollment::Open);
    let device = rig.enrolled_device("lamps", "lamp-1", &secret);
    let client = client(&rig, &device, server.address());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let begun = Instant::now();
            (client.wait(60), begun.elapsed())
        });
        thread::sleep(Duration::from_millis(500));
        let stopping = scope.spawn(|| rig.block_on(server.stop()));
        let (reply, took) = waiting.join().unwrap();
        assert!(!reply.unwrap().poll, "there is nothing for it");
        assert!(took < Duration::from_millis(500) + DELAY, "{took:?}");
        stopping.join().unwrap();
    });
}

fn client(rig: &Rig, device: &FakeDevice, address: SocketAddr) -> Client {
    let trust = enlist_keys::tls::ServerTrust {
        anchors: enlist_pki::Anchors::from_pem(&rig.ops.root().to_pem()).unwrap(),
        service_anchors: enlist_pki::Anchors::default(),
    };
    let identity = Some(device.identity());
    let tls = enlist_keys::tls::client_config(trust, identity, rig.clock.clone()).unwrap();
    let url = format!("https://{address}");
    Client::new(&url, Arc::new(tls), Duration::from_secs(70)).unwrap()
}

#[test]
fn a_database_that_takes_no_writes_makes_the_server_unready_and_says_why() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off"]);
    let url = cluster.database("frozen");
    let rig = Rig::on_shared(enlist_ops::Location::Postgres(url));
    let ready = || rig.raw("GET", "/readyz", &[], &[]);
    assert_eq!(ready().status, 200);
    freeze(&cluster, "on");
    let eventually = |status: u16| {
        let begun = Instant::now();
        loop {
            let answer = ready();
            if answer.status == status {
                return answer;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{}",
                answer.text()
            );
            thread::sleep(Duration::from_millis(100));
        }
    };
    let answer = eventually(503);
    assert_eq!(answer.slug(), "storage-unavailable");
    assert!(answer.text().contains("the database"), "{}", answer.text());
    freeze(&cluster, "off");
    eventually(200);
}

/// Makes the database read-only, or no longer so, for connections that there are, too.
fn freeze(cluster: &Cluster, read_only: &str) {
    cluster.sql(
        "postgres",
        &format!("ALTER DATABASE frozen SET default_transaction_read_only = {read_only}"),
    );
    cluster.sql(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'frozen'",
    );
}

#[test]
fn strangers_who_ask_whether_it_is_ready_cost_the_database_nothing() {
    let rig = Rig::new();
    let looks = || {
        let stats = rig.ops.store_stats();
        let of = |name: &str| stats.by_name.iter().find(|job| job.name == name).cloned();
        of("prove_writable").map_or(0, |job| job.done)
    };
    let before = looks();
    let begun = Instant::now();
    let mut stream = connect(&rig, rig.address());
    for _ in 0..200 {
        assert!(stream.ask("/readyz").starts_with("http/1.1 200"));
    }
    let most = begun.elapsed().as_secs() + 1;
    assert!((1..=most).contains(&(looks() - before)), "{}", looks());
}
