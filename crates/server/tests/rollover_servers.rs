//! Two servers on one database, one root after another; and a root whose key is not there.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_core::{Clock, SystemClock, SystemRng};
use enlist_keys::tls::{ServerTrust, client_config};
use enlist_ops::{Config, FirstStart, Location, Ops, StatusConfig, WrappingKeySource, open};
use enlist_pki::Anchors;
use enlist_server::{Listen, Server};
use enlist_testkit::{Postgres, ca_key_store, refusal};
use enlist_wire::{Client, ClientError, NewTenant, RetireRoot};

struct OneOfTwo {
    server: Server,
    ops: Ops,
}

impl OneOfTwo {
    async fn start(url: &str, dir: &Path) -> (Self, Option<FirstStart>) {
        let config = Config {
            location: Location::Postgres(url.to_owned()),
            data_dir: Some(dir.to_owned()),
            wrapping: WrappingKeySource::Text("the same for both of them, and long".into()),
            ca_key_store: ca_key_store(),
            status: StatusConfig::default(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            outbound: enlist_server::outbound(Arc::new(SystemClock)),
        };
        let (ops, first) = open(config).await.unwrap();
        let listen = Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            names: Vec::new(),
            certificate: None,
            max_connections: 64,
            trusted_proxies: Vec::new(),
            drain_delay: Duration::ZERO,
            status: None,
        };
        let server = Server::start(ops.clone(), listen).await.unwrap();
        (Self { server, ops }, first)
    }

    fn client(&self, root: &str, token: &str) -> Client {
        let trust = ServerTrust {
            anchors: Anchors::from_pem(root).unwrap(),
            service_anchors: Anchors::default(),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let tls = Arc::new(client_config(trust, None, clock).unwrap());
        let url = format!("https://{}", self.server.address());
        let client = Client::new(&url, tls, Duration::from_secs(20)).unwrap();
        client.with_token(token.to_owned().into())
    }

    fn wait_until_believed(&self, root: &str, token: &str) {
        let started = Instant::now();
        while self.client(root, token).time().is_err() {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn root_file(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("root.pem")).unwrap()
}

/// One PostgreSQL for both stories: it takes its time to start.
#[test]
fn servers_on_one_database_agree_on_their_roots() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    another_server_on_the_database_takes_the_change_up(&postgres);
    a_root_whose_key_is_offline_says_so(&postgres);
}

fn another_server_on_the_database_takes_the_change_up(postgres: &Postgres) {
    let url = postgres.database("rollover");
    let runtime = tokio_runtime();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, first) = runtime.block_on(OneOfTwo::start(&url, here.path()));
    let (two, again) = runtime.block_on(OneOfTwo::start(&url, there.path()));
    assert!(again.is_none());
    let token = first.unwrap().admin_token.expose().to_owned();
    let old = root_file(here.path());
    assert_eq!(root_file(there.path()), old);

    let next = one.client(&old, &token).add_root().unwrap();
    assert_eq!(root_file(here.path()), old.clone() + &next.certificate);
    let retired = one.client(&old, &token).retire_root(&RetireRoot::default());
    retired.unwrap();
    one.wait_until_believed(&next.certificate, &token);
    assert_eq!(root_file(here.path()), next.certificate);

    // The other one has most likely not looked yet, and would sign under the old root: nobody gets that.
    let tenant = NewTenant::named("late");
    match two.client(&old, &token).create_tenant(&tenant) {
        // It looks when it starts, too, and on a busy machine that may be now.
        Err(ClientError::Tls(_)) => two
            .client(&next.certificate, &token)
            .create_tenant(&tenant)
            .unwrap(),
        created => created.unwrap(),
    };
    let authority = one.client(&next.certificate, &token).issuing_ca("late");
    assert_eq!(authority.unwrap().root, next.certificate);

    // By that it has looked, and presents itself under the new root, too.
    two.wait_until_believed(&next.certificate, &token);
    let outside = two.client(&old, &token).time();
    assert!(matches!(outside, Err(ClientError::Tls(_))));
    assert_eq!(root_file(there.path()), next.certificate);

    let third = two.client(&next.certificate, &token).add_root().unwrap();
    assert!(runtime.block_on(one.ops.follow_roots()).unwrap());
    assert!(!runtime.block_on(one.ops.follow_roots()).unwrap());
    assert_eq!(one.ops.roots_pem(), next.certificate + &third.certificate);
    runtime.block_on(async {
        one.server.stop().await;
        two.server.stop().await;
    });
}

fn a_root_whose_key_is_offline_says_so(postgres: &Postgres) {
    let url = postgres.database("offline");
    let runtime = tokio_runtime();
    let dir = tempfile::tempdir().unwrap();
    let (before, first) = runtime.block_on(OneOfTwo::start(&url, dir.path()));
    runtime.block_on(before.server.stop());
    let taken_out = Command::new("psql")
        .args(["--quiet", "--command"])
        .arg("UPDATE cas SET wrapped_key = NULL, key_reference = NULL WHERE kind = 'root'")
        .arg(&url)
        .status()
        .unwrap();
    assert!(taken_out.success());
    let (after, _) = runtime.block_on(OneOfTwo::start(&url, dir.path()));
    let token = first.unwrap().admin_token.expose().to_owned();
    let client = after.client(&root_file(dir.path()), &token);
    assert_eq!(refusal(client.add_root()), "root-offline");
    runtime.block_on(after.server.stop());
}

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
