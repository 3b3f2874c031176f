//! Somebody who signs configuration, and a device that keeps it, on a disk that fails when told to.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::io;

use enlist_agent::configuration::{Check, Checked, DeviceIs, Keeper, Note};
use enlist_agent::disk::{Disk, MemoryDisk};
use enlist_core::{DeviceId, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, PublicKey, Signer};
use enlist_signed::{Envelope, Layer, Migration, Schema, Statement, Target};
use enlist_wire::ConfigurationOffer;
use serde_json::{Map, Value, json};

pub const CONFIG: &str = "configuration/current/config.json";

pub fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

pub fn who() -> DeviceIs {
    DeviceIs {
        tenant: "default".into(),
        group: "presses".into(),
        device_id: DeviceId::from_bytes([7; 16]),
    }
}

pub fn values(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Schema version 1: speed, label, and a secret.
pub fn schema_1() -> Value {
    json!({
        "type": "object",
        "properties": {
            "speed": {"type": "integer", "minimum": 0, "maximum": 100, "default": 10},
            "label": {"type": "string", "pattern": "^[a-z]*$", "default": ""},
            "password": {"type": "string", "writeOnly": true, "default": ""}
        }
    })
}

/// Schema version 2: the speed is called `motor.rpm`, and is sixty times as much.
pub fn schema_2() -> Value {
    json!({
        "type": "object",
        "properties": {
            "motor": {
                "type": "object",
                "properties": {"rpm": {"type": "integer", "maximum": 6000, "default": 600}}
            },
            "label": {"type": "string", "default": ""},
            "password": {"type": "string", "writeOnly": true, "default": ""}
        }
    })
}

pub fn to_2() -> Vec<Vec<Migration>> {
    let steps = json!([[
        {"scale": {"path": "/speed", "by": 60.0}},
        {"rename": {"from": "/speed", "to": "/motor/rpm"}}
    ]]);
    serde_json::from_value(steps).unwrap()
}

/// Who signs.
pub struct Signatory(pub FileKey);

impl Signatory {
    pub fn new() -> Self {
        Self(FileKey::generate(KeyKind::P256).unwrap())
    }

    pub fn public(&self) -> PublicKey {
        self.0.public_key().clone()
    }

    pub fn seal<S: Statement>(&self, statement: &S) -> enlist_wire::Envelope {
        enlist_wire::Envelope(Envelope::seal(statement, &self.0).unwrap().to_value())
    }

    pub fn schema(&self, version: u64, schema_version: u32, schema: Value) -> ConfigurationOffer {
        let migrations = if schema_version > 1 {
            to_2()
        } else {
            Vec::new()
        };
        let statement = Schema {
            tenant: "default".parse().unwrap(),
            group: "presses".parse().unwrap(),
            version,
            schema_version,
            schema,
            migrations,
            at: now(),
        };
        ConfigurationOffer {
            schema: Some(self.seal(&statement)),
            ..ConfigurationOffer::default()
        }
    }

    pub fn group(&self, version: u64, given: Value) -> ConfigurationOffer {
        self.layered(&layer(Target::Group, version, 1, given))
    }

    pub fn device(&self, version: u64, given: Value) -> ConfigurationOffer {
        let target = Target::Device(who().device_id);
        self.layered(&layer(target, version, 1, given))
    }

    /// A layer, offered in the place of its target.
    pub fn layered(&self, layer: &Layer) -> ConfigurationOffer {
        let sealed = Some(self.seal(layer));
        let mut offer = ConfigurationOffer::default();
        match layer.target {
            Target::Group => offer.group = sealed,
            Target::Device(_) => offer.device = sealed,
        }
        offer
    }
}

pub fn layer(target: Target, version: u64, schema_version: u32, given: Value) -> Layer {
    Layer {
        tenant: "default".parse().unwrap(),
        group: "presses".parse().unwrap(),
        target,
        version,
        schema_version,
        values: values(given),
        at: now(),
    }
}

pub fn both(one: ConfigurationOffer, other: ConfigurationOffer) -> ConfigurationOffer {
    ConfigurationOffer {
        schema: one.schema.or(other.schema),
        group: one.group.or(other.group),
        device: one.device.or(other.device),
    }
}

/// What goes wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Before,
    After,
}

/// A disk whose power goes at a given write, or that is full or read-only.
#[derive(Clone, Default)]
pub struct TestDisk {
    pub inner: MemoryDisk,
    pub cut: Option<(u32, Cut)>,
    pub writes: u32,
    pub dark: bool,
    pub refuses: bool,
}

impl TestDisk {
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut MemoryDisk) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.refuses {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        if self.dark {
            return Err(io::Error::other("the power is gone"));
        }
        let count = self.writes;
        self.writes += 1;
        match self.cut {
            Some((at, cut)) if at == count => {
                self.dark = true;
                if cut == Cut::After {
                    change(&mut self.inner)?;
                }
                Err(io::Error::other("the power is gone"))
            }
            _ => change(&mut self.inner),
        }
    }

    /// The configuration that programs read.
    pub fn config(&self) -> Option<Value> {
        let slot = self.target("configuration/current").unwrap()?;
        let path = format!("configuration/{slot}/config.json");
        let file = self.read(&path).unwrap().expect("the link leads somewhere");
        Some(serde_json::from_slice(&file).expect("what programs read is whole"))
    }
}

impl Disk for TestDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.inner.read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.change(|disk| disk.write(path, bytes))
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        self.change(|disk| disk.point(link, target))
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        self.inner.target(link)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.inner.list(directory)
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        self.change(|disk| disk.remove(directory))
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        self.change(|disk| disk.erase(path))
    }
}

/// A device: what survives a restart, and the hook.
pub struct Device {
    pub disk: TestDisk,
    pub keys: Vec<PublicKey>,
    /// What the hook says to a configuration.
    pub hook: Box<dyn FnMut(&Value) -> Checked>,
    /// What it was asked about.
    pub asked: Vec<Value>,
    pub notes: Vec<Note>,
}

impl Device {
    pub fn new(signatory: &Signatory) -> Self {
        Self {
            disk: TestDisk::default(),
            keys: vec![signatory.public()],
            hook: Box::new(|_| Checked::Good),
            asked: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn start(&self) -> Keeper {
        Keeper::open(&self.disk, self.keys.clone(), now())
    }

    /// Goes on until there is nothing to do, or nothing can be done.
    pub fn rest(&mut self, keeper: &mut Keeper) {
        for _ in 0..1000 {
            match self.step(keeper) {
                Some(note) => self.notes.extend(note),
                None => return,
            }
        }
        panic!("it does not end: {:?}", self.notes);
    }

    pub fn step(&mut self, keeper: &mut Keeper) -> Option<Option<Note>> {
        let (hook, asked, seen) = (&mut self.hook, &mut self.asked, self.disk.inner.clone());
        let mut check = |check: &Check<'_>| {
            let file = seen.read(check.configuration).unwrap().unwrap();
            let value: Value = serde_json::from_slice(&file).unwrap();
            if let Some(before) = check.before {
                assert!(seen.read(before).unwrap().is_some(), "{before} is there");
            }
            asked.push(value.clone());
            hook(&value)
        };
        keeper.step(&mut self.disk, &mut check, now())
    }

    /// Takes an offer in a life of its own: started, offered, at rest.
    pub fn takes(&mut self, offer: &ConfigurationOffer) -> Keeper {
        let mut keeper = self.start();
        keeper.offered(offer, &who(), now());
        self.rest(&mut keeper);
        keeper
    }

    /// A device with schema 1 and values for the group in force.
    pub fn configured(signatory: &Signatory) -> Self {
        let mut device = Self::new(signatory);
        device.takes(&signatory.schema(1, 1, schema_1()));
        device.takes(&signatory.group(1, json!({"speed": 20, "password": "hunter2"})));
        assert_eq!(device.config()["speed"], 20);
        device
    }

    pub fn config(&self) -> Value {
        self.disk.config().expect("there is a configuration")
    }

    pub fn told(&self, words: &str) -> bool {
        self.notes
            .iter()
            .any(|note| note.to_string().contains(words))
    }

    pub fn log(&self) -> String {
        let log = self.disk.read("configuration/changes.log").unwrap();
        String::from_utf8(log.unwrap_or_default()).unwrap()
    }
}

pub fn reason(keeper: &Keeper) -> Option<String> {
    Some(keeper.report()?.refused?.reason)
}
