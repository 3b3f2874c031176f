//! An agent in a world of its own: a scripted server, a disk and a network that fail when told to.
#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod fuse;
mod server;
mod tpm;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use enlist_agent::config::{Attestation, Configuration, HardwareSource, Quadruple};
use enlist_agent::configuration::{Check, Checked};
use enlist_agent::disk::{Disk, Keys, MemoryDisk, Vault};
use enlist_agent::drive::OpenError;
use enlist_agent::export::Export;
use enlist_agent::machine::{Identity, Note};
use enlist_agent::time::{DeviceClock, Uptime};
use enlist_agent::{Agent, Progress, World};
use enlist_core::{Clock, Digest, Rng, SigningMethod, Timestamp};
use enlist_keys::{FileStore, StoreSpec, WrappingKey};
use enlist_pki::path::ServerTrust;
use enlist_pki::{Anchors, Certificate, KeyKind, Signer};

pub use fuse::{Fuse, FusedDisk, FusedNet, When};
pub use server::{Desk, Fault, Policy, Server, Spoil, problem};
pub use tpm::FakeTpm;

pub const START: i64 = 1_800_000_000;
pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;

/// A clock that stands still until it is set.
pub struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl FakeClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(START * 1000))
    }

    pub fn set(&self, to: Timestamp) {
        self.0.store(to.as_millis(), Ordering::Relaxed);
    }

    pub fn advance(&self, secs: i64) {
        self.0.fetch_add(secs * 1000, Ordering::Relaxed);
    }
}

impl Uptime for FakeClock {
    fn elapsed(&self) -> Duration {
        self.now().since(Timestamp::from_secs(START - 1000))
    }
}

/// A clock that is off the right one.
pub struct WrongClock {
    right: Arc<FakeClock>,
    off: AtomicI64,
}

impl WrongClock {
    /// Sets it so many seconds off the right one.
    pub fn set_off(&self, off: i64) {
        self.off.store(off, Ordering::Relaxed);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        let off = self.off.load(Ordering::Relaxed) * 1000;
        Timestamp::from_millis(self.right.now().as_millis() + off)
    }
}

/// Random numbers that are the same in every run.
pub struct SeededRng(AtomicU64);

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed << 32))
    }

    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let digest = Digest::of(&count.to_le_bytes());
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
    }
}

pub type TestAgent = Agent<FusedDisk, FusedNet>;

/// One device, one server, and everything between them.
pub struct Rig {
    pub clock: Arc<FakeClock>,
    pub rng: Arc<SeededRng>,
    pub server: Rc<RefCell<Server>>,
    pub disk: Rc<RefCell<MemoryDisk>>,
    pub fuse: Rc<Fuse>,
    pub hooks_run: Arc<AtomicU32>,
    pub configuration: Configuration,
    /// Where other programs are given certificate and key.
    pub export: Option<Export>,
    /// The device's TPM, where it has one.
    pub tpm: Option<FakeTpm>,
    /// The clock of the device's system, where it is not the right one.
    pub system: Option<Arc<WrongClock>>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with_policy(Policy::Open)
    }

    pub fn with_policy(policy: Policy) -> Self {
        let clock = Arc::new(FakeClock::new());
        let server = Server::new(policy, clock.clone());
        let configuration = configuration(server.root_pem());
        Self {
            clock,
            rng: Arc::new(SeededRng::new(1)),
            server: Rc::new(RefCell::new(server)),
            disk: Rc::default(),
            fuse: Rc::default(),
            hooks_run: Arc::default(),
            configuration,
            export: None,
            tpm: None,
            system: None,
        }
    }

    /// A device that holds no secret, and a server that wants it to prove which TPM it has.
    pub fn zero_touch() -> Self {
        let mut rig = Self::new();
        rig.configuration.attestation = Attestation::Tpm;
        rig.tpm = Some(FakeTpm::new(1));
        rig.server.borrow_mut().proofs.wanted = true;
        rig
    }

    /// A device whose clock is off by so many seconds, and which goes by a clock with a floor.
    pub fn with_wrong_clock(off: i64) -> Self {
        let mut rig = Self::new();
        let right = rig.clock.clone();
        let off = AtomicI64::new(off);
        rig.system = Some(Arc::new(WrongClock { right, off }));
        rig.server.borrow_mut().desk.chain = Some((START - 30 * DAY, START + 3650 * DAY));
        rig
    }

    /// The agent as it comes up after a restart.
    pub fn try_start(&self) -> Result<TestAgent, OpenError> {
        let hooks_run = self.hooks_run.clone();
        let device_clock = self.system.as_ref().map(|system| {
            let built = Timestamp::from_secs(START - 400 * DAY);
            Arc::new(DeviceClock::new(system.clone(), self.clock.clone(), built))
        });
        let clock: Arc<dyn Clock> = match &device_clock {
            Some(clock) => clock.clone(),
            None => self.clock.clone(),
        };
        let verifies_by = device_clock.is_some().then(|| clock.clone());
        let world = World {
            clock,
            device_clock,
            rng: self.rng.clone(),
            export: self.export.clone(),
            check: Box::new(|_: &Check<'_>| Checked::Good),
            hooks: Box::new(move |_| {
                hooks_run.fetch_add(1, Ordering::Relaxed);
            }),
        };
        let disk = FusedDisk::new(self.disk.clone(), self.fuse.clone());
        let net = FusedNet::new(self.server.clone(), self.fuse.clone(), verifies_by);
        let keys = match &self.tpm {
            Some(tpm) => keys().with_attestor(Box::new(tpm.clone())),
            None => keys(),
        };
        Agent::open(
            &self.configuration,
            disk,
            keys,
            net,
            world,
            "/nowhere".as_ref(),
        )
    }

    pub fn start(&self) -> TestAgent {
        self.try_start().unwrap()
    }

    /// Steps on, turning the clock over every wait, until `done`; returns what was told.
    pub fn until(&self, agent: &mut TestAgent, done: impl Fn(&TestAgent) -> bool) -> Vec<Note> {
        let mut notes = Vec::new();
        for _ in 0..10_000 {
            if done(agent) {
                return notes;
            }
            match agent.step() {
                Progress::Went(note) => notes.extend(note.map(|note| *note)),
                Progress::Wait(until) => self.sleep(until.since(agent.now())),
                Progress::Wiping => panic!("it wipes itself"),
            }
        }
        panic!(
            "it does not end: {:?}",
            &notes[notes.len().saturating_sub(3)..]
        );
    }

    /// Lets time pass.
    pub fn sleep(&self, time: Duration) {
        self.clock.set(self.clock.now() + time);
    }

    /// Steps on until the next wait, and returns what was told and how long the wait is.
    pub fn pass(&self, agent: &mut TestAgent) -> (Vec<Note>, Duration) {
        let mut notes = Vec::new();
        for _ in 0..1000 {
            match agent.step() {
                Progress::Went(note) => notes.extend(note.map(|note| *note)),
                Progress::Wait(until) => return (notes, until.since(agent.now())),
                Progress::Wiping => panic!("it wipes itself"),
            }
        }
        panic!("it does not wait: {notes:?}");
    }

    pub fn settle(&self, agent: &mut TestAgent) -> Vec<Note> {
        self.until(agent, |agent| agent.machine().is_settled(agent.now()))
    }

    /// An agent that has enrolled and is at rest.
    pub fn enrolled() -> (Self, TestAgent) {
        let rig = Self::new();
        let mut agent = rig.start();
        rig.settle(&mut agent);
        (rig, agent)
    }

    /// A device whose identity was loaded at the factory.
    pub fn pre_enrolled() -> Self {
        let mut rig = Self::new();
        let quadruple = rig.server.borrow_mut().pre_enroll("press-9");
        rig.configuration.quadruple = Some(quadruple);
        rig
    }

    /// The configuration with the identity of another device.
    pub fn strangers_quadruple(&self) -> Quadruple {
        self.server.borrow_mut().pre_enroll("somebody-else")
    }

    /// What must hold whenever the power may have gone: what other programs read is a pair that fits.
    pub fn check_current(&self) {
        let disk = self.disk.borrow();
        let Some(target) = disk.target("current").unwrap() else {
            return;
        };
        let file = |name: &str| {
            let bytes = disk.read(&format!("{target}/{name}")).unwrap();
            String::from_utf8(bytes.unwrap_or_else(|| panic!("{target}/{name} is gone"))).unwrap()
        };
        let slot = target.strip_prefix("slots/").unwrap().parse().unwrap();
        let key = Vault::with_keys(disk.clone(), keys()).key(slot).unwrap();
        let chain = enlist_pki::chain_from_pem(&file("certificate.pem")).unwrap();
        assert_eq!(chain[0].spki_der(), key.public_key().spki_der());
        file("ca.pem");
    }

    /// What must hold once it has come to rest: one device, known to both sides in the same way, and
    /// nothing left over.
    pub fn check_settled(&self, agent: &TestAgent) {
        self.check_current();
        let identity = agent.machine().identity().unwrap().clone();
        let server = self.server.borrow();
        assert_eq!(server.devices(), 1, "one device, whatever happened");
        assert_eq!(server.clones_suspected(), 0, "it never contradicts itself");
        server.check_agrees(&identity);
        let disk = self.disk.borrow();
        let slot = format!("slots/{}", identity.slot);
        assert_eq!(disk.target("current").unwrap(), Some(slot));
        assert_eq!(disk.list("slots").unwrap(), [identity.slot.to_string()]);
        let kept = Vault::new(disk.clone()).state().unwrap().unwrap();
        assert_eq!(kept.identity(), Some(&identity));
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_secs()
    }

    pub fn identity(agent: &TestAgent) -> Identity {
        agent.machine().identity().unwrap().clone()
    }
}

/// A key store in memory, whose wrapping key is there again after a restart.
pub fn keys() -> Keys {
    let wrapping = WrappingKey::generate(&SeededRng::new(7));
    let store = FileStore::in_memory(wrapping, Arc::new(enlist_core::SystemRng));
    Keys::new(Box::new(store), KeyKind::P256)
}

fn configuration(root_pem: &str) -> Configuration {
    Configuration {
        server_url: "https://server.test".into(),
        trust: ServerTrust {
            anchors: Anchors::from_pem(root_pem).unwrap(),
            service_anchors: Anchors::default(),
        },
        tenant: "default".parse().unwrap(),
        group: "presses".parse().unwrap(),
        name: Some("press-1".parse().unwrap()),
        name_prefix: None,
        hardware: Some(HardwareSource::Value("PC0A1B2C".into())),
        persistent_directory: "/nowhere".into(),
        roots: vec![Certificate::from_pem(root_pem).unwrap()],
        signing_method: SigningMethod::Remote,
        hold_connection: false,
        public_keys: Vec::new(),
        command_keys: Vec::new(),
        enrollment_token: None,
        quadruple: None,
        certificate_ttl_h: None,
        cert_refresh_threshold: None,
        polling_interval: Duration::from_secs(3600),
        network_timeout: Duration::from_secs(30),
        single_check: false,
        key_store: StoreSpec::default(),
        attestation: Attestation::Nothing,
        key_kind: KeyKind::P256,
        export_directory: None,
        export_group: None,
        after_renew: Vec::new(),
        wipe_paths: Vec::new(),
        before_wipe: Vec::new(),
        before_wipe_limit: Duration::from_secs(60),
        configuration_check: None,
        configuration_limit: Duration::from_secs(30),
        button: None,
        files: vec!["/nowhere/config.json".into()],
    }
}
