//! A whole server in memory, or on a database of its own, behind real TLS on a free loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use enlist_core::{Clock, Rng};
use enlist_keys::Pkcs11Spec;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_ops::{Config, Location, Ops, StatusConfig, WrappingKeySource, open};
use enlist_pki::Anchors;
use enlist_server::{Listen, Server, StatusDoor};
use enlist_wire::{Client, Enrollment, NewGroup};

use crate::{FakeClock, FakeDevice, SeededRng, SoftHsm, own_database};

/// A server, its clock, and an administrator.
pub struct Rig {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
    address: SocketAddr,
    status_address: SocketAddr,
    /// The server's operations, past all doors.
    pub ops: Ops,
    /// The server's clock, and everybody's.
    pub clock: Arc<FakeClock>,
    /// Everybody's randomness.
    pub rng: Arc<SeededRng>,
    admin: Client,
    admin_token: String,
    ca_keys: Option<Pkcs11Spec>,
}

impl Rig {
    /// Starts a server on an in-memory store, set up as at a first start; on a PostgreSQL where the
    /// environment says so (see [`own_database`]).
    pub fn new() -> Self {
        Self::on(Location::Memory)
    }

    /// Starts a server on the store at `location`.
    pub fn on(location: Location) -> Self {
        Self::start(location, WrappingKeySource::DataDir, own_ca_keys(), None)
    }

    /// Starts a server whose CAs keep their keys in this token.
    pub fn with_ca_keys(token: &SoftHsm) -> Self {
        let spec = Pkcs11Spec::for_server(&token.key_store()).expect("a PKCS#11 URI");
        Self::start(
            Location::Memory,
            WrappingKeySource::DataDir,
            Some(spec),
            None,
        )
    }

    /// Starts a server on a database that others are to share: see [`Rig::beside`].
    pub fn on_shared(location: Location) -> Self {
        Self::start(location, shared_key(), own_ca_keys(), None)
    }

    /// Starts one more server on the database of `first`, which is [`Rig::on_shared`].
    pub fn beside(first: &Self, location: Location) -> Self {
        let token = Some(first.admin_token.as_str());
        Self::start(location, shared_key(), first.ca_keys.clone(), token)
    }

    fn start(
        location: Location,
        wrapping: WrappingKeySource,
        ca_keys: Option<Pkcs11Spec>,
        token: Option<&str>,
    ) -> Self {
        let location = match location {
            Location::Memory => own_database().map_or(Location::Memory, Location::Postgres),
            elsewhere => elsewhere,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let clock = Arc::new(FakeClock::now());
        // Two servers on one database must not make the same ids.
        let rng = Arc::new(SeededRng::new(if token.is_some() { 2 } else { 1 }));
        let door = StatusDoor::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let config = Config {
            location,
            data_dir: None,
            wrapping,
            ca_key_store: ca_keys.clone(),
            status: StatusConfig {
                url: Some(format!("http://{}", door.address())),
                ..StatusConfig::default()
            },
            clock: clock.clone(),
            rng: rng.clone(),
            outbound: enlist_server::outbound(clock.clone()),
        };
        let (ops, first) = runtime.block_on(open(config)).expect("a new installation");
        let listen = Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            names: Vec::new(),
            certificate: None,
            max_connections: 1024,
            trusted_proxies: Vec::new(),
            drain_delay: Duration::ZERO,
            status: Some(door.clone()),
        };
        let server = runtime
            .block_on(Server::start(ops.clone(), listen))
            .expect("a free port");
        let address = server.address();
        let admin_token = match token {
            Some(token) => token.to_owned(),
            None => {
                let first = first.expect("a first start");
                first.admin_token.expose().to_owned()
            }
        };
        let admin =
            client(address, &ops, clock.clone(), None).with_token(admin_token.clone().into());
        Self {
            runtime,
            server: Some(server),
            address,
            status_address: door.address(),
            ops,
            clock,
            rng,
            admin,
            admin_token,
            ca_keys,
        }
    }

    /// The management API, as the administrator of the installation.
    pub fn admin(&self) -> &Client {
        &self.admin
    }

    /// The administrator's token.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// The server, as one sees it who holds this API token.
    pub fn client_with_token(&self, token: &str) -> Client {
        self.stranger().with_token(token.to_owned().into())
    }

    /// The server, as a stranger sees it.
    pub fn stranger(&self) -> Client {
        client(self.address, &self.ops, self.clock.clone(), None)
    }

    /// The server, as one sees it who shows this certificate.
    pub fn client_with_identity(&self, identity: Identity) -> Client {
        client(self.address, &self.ops, self.clock.clone(), Some(identity))
    }

    /// The server, as one sees it who believes these roots (PEM) and no others.
    pub fn client_believing(&self, roots_pem: &str, identity: Option<Identity>) -> Client {
        let clock = self.clock.clone();
        client_to(self.address, roots_pem, clock, identity)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where its plain HTTP door is, as its certificates say.
    pub fn status_url(&self) -> String {
        format!("http://{}", self.status_address)
    }

    /// A TLS configuration that believes the server.
    pub fn tls(&self) -> rustls::ClientConfig {
        tls(&self.ops.root().to_pem(), self.clock.clone(), None)
    }

    /// Adds a group to tenant `default`; its secret comes back.
    pub fn group(&self, name: &str, enrollment: Enrollment) -> String {
        self.group_with(&NewGroup {
            enrollment,
            ..NewGroup::named(name)
        })
    }

    /// Adds a group with rules of its own to tenant `default`; its secret comes back.
    pub fn group_with(&self, group: &NewGroup) -> String {
        let created = self.admin.create_group("default", group).expect("a group");
        let secret = created.secret.expect("a secret");
        secret.secret.expose().to_owned()
    }

    /// A device that has made key and token, and has not asked yet.
    pub fn device(&self, group: &str, name: &str, secret: &str) -> FakeDevice {
        FakeDevice::new(self, group, name, secret)
    }

    /// A device of an open group, enrolled.
    pub fn enrolled_device(&self, group: &str, name: &str, secret: &str) -> FakeDevice {
        let mut device = self.device(group, name, secret);
        device.enroll(self).expect("an enrollment");
        device
    }

    /// Ends the server as a power cut would: nothing is finished, nothing is left behind in order.
    pub fn kill(mut self) {
        drop(self.server.take());
    }

    /// Runs what is async.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // Not while a test fails: a panic in a drop would hide why.
        if !std::thread::panicking() {
            self.keep_produced();
        }
        if let Some(server) = self.server.take() {
            // A test that failed must not hang on its open connections.
            let patience = Duration::from_secs(2);
            let _ = self
                .runtime
                .block_on(async { tokio::time::timeout(patience, server.stop()).await });
        }
    }
}

fn tls(roots_pem: &str, clock: Arc<dyn Clock>, identity: Option<Identity>) -> rustls::ClientConfig {
    let trust = ServerTrust {
        anchors: Anchors::from_pem(roots_pem).expect("a root"),
        service_anchors: Anchors::default(),
    };
    client_config(trust, identity, clock).expect("a TLS configuration")
}

fn client(
    address: SocketAddr,
    ops: &Ops,
    clock: Arc<dyn Clock>,
    identity: Option<Identity>,
) -> Client {
    client_to(address, &ops.root().to_pem(), clock, identity)
}

fn client_to(
    address: SocketAddr,
    roots_pem: &str,
    clock: Arc<dyn Clock>,
    identity: Option<Identity>,
) -> Client {
    let tls = Arc::new(tls(roots_pem, clock, identity));
    let url = format!("https://{address}");
    Client::new(&url, tls, Duration::from_secs(20)).expect("a client")
}

/// The token for the keys of CAs that the environment names, as it does for `enlist serve`: see `cargo
/// xtask suite-softhsm`. `None` where it names none.
pub fn ca_key_store() -> Option<Pkcs11Spec> {
    let uri = std::env::var("ENLIST_CA_KEY_STORE").ok()?;
    Some(Pkcs11Spec::for_server(&uri).expect("a PKCS#11 URI"))
}

/// The same for one installation: those in one process draw the same random ids for their keys.
fn own_ca_keys() -> Option<Pkcs11Spec> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    ca_key_store().map(|spec| Pkcs11Spec {
        label: format!("rig {number}"),
        ..spec
    })
}

fn shared_key() -> WrappingKeySource {
    WrappingKeySource::Text("the same on each of these servers".to_owned().into())
}

/// Fills an array, for ids and the like.
pub(crate) fn random<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}
