//! A device in the field that is to be wiped, with the office that gets its receipt.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use enlist_agent::config::HookCommand;
use enlist_agent::disk::{Credentials, Disk, Vault};
use enlist_agent::machine::{Failure, State};
use enlist_agent::wipe::{self, Ground, Journal, Note, Order, Wipe, WipeNet, WipeProgress};
use enlist_core::Clock;
use enlist_pki::Certificate;
use enlist_signed::{Envelope, Erasure, OrderedBy, Receipt};
use enlist_wire::{DeviceSelf, DeviceState, Farewell, ReceiptReply, ReceiptRequest, Time, Uuid};

use crate::common::{FusedDisk, Rig, keys, problem};

/// The server, as far as a wipe has to do with it.
#[derive(Default)]
pub struct Office {
    /// The certificate that it has on record.
    pub certificate: Option<Certificate>,
    pub told: u32,
    pub receipts: Vec<Receipt>,
    /// How many more exchanges never arrive.
    pub unreachable: u32,
    pub refuses: bool,
}

/// What the operator wants erased.
#[derive(Default)]
pub struct Land {
    pub there: BTreeSet<PathBuf>,
    pub hooks_run: u32,
}

pub struct Field {
    pub rig: Rig,
    pub office: Rc<RefCell<Office>>,
    pub land: Rc<RefCell<Land>>,
}

pub const APP: &str = "/var/lib/app";

impl Field {
    /// A device that has enrolled, with data of an application's and everything else that an agent keeps.
    pub fn new() -> Self {
        let (mut rig, agent) = Rig::enrolled();
        drop(agent);
        let certificate = {
            let disk = rig.disk.borrow().clone();
            let vault = Vault::new(disk);
            let slot = vault.state().unwrap().unwrap().identity().unwrap().slot;
            vault.chain(slot).unwrap().remove(0)
        };
        for left in [
            "configuration/3/config.json",
            "trouble.json",
            "anchors.pem",
            "floor",
            "hardware-id",
            "identity.json",
            "wrapping.key",
            "slots/99/key",
            "anything/else",
        ] {
            rig.disk.borrow_mut().write(left, b"something").unwrap();
        }
        rig.configuration.wipe_paths = vec![APP.into(), "/var/lib/never-was".into()];
        rig.configuration.before_wipe = vec![HookCommand::Program(vec!["/bin/stop".into()])];
        let land = Land {
            there: [PathBuf::from(APP)].into(),
            hooks_run: 0,
        };
        let office = Office {
            certificate: Some(certificate),
            ..Office::default()
        };
        Self {
            rig,
            office: Rc::new(RefCell::new(office)),
            land: Rc::new(RefCell::new(land)),
        }
    }

    /// A device that never enrolled.
    pub fn new_from_the_factory() -> Self {
        let field = Self {
            rig: Rig::new(),
            office: Rc::default(),
            land: Rc::default(),
        };
        field
            .rig
            .disk
            .borrow_mut()
            .write("hardware-id", b"x")
            .unwrap();
        field
    }

    pub fn disk(&self) -> FusedDisk {
        FusedDisk::new(self.rig.disk.clone(), self.rig.fuse.clone())
    }

    pub fn begin(&self, by: OrderedBy) {
        self.begin_with(by, false);
    }

    pub fn begin_with(&self, by: OrderedBy, keep_copy: bool) {
        let order = Order {
            by,
            command: None,
            reason: None,
            keep_copy,
        };
        // What fails here fails because the power is gone: then nothing has begun, or all of it.
        let _ = wipe::begin(&mut self.disk(), &order, self.rig.clock.now());
    }

    /// The wipe as it comes up after a restart.
    pub fn start(&self) -> Option<Wipe> {
        let ground = Box::new(FusedLand(self.land.clone(), self.rig.fuse.clone()));
        Wipe::open(&self.rig.configuration, &self.disk(), ground).unwrap()
    }

    /// Goes on until the device is clean, or the power is gone; returns what was told.
    pub fn carry_out(&self, wipe: &mut Wipe) -> Vec<Note> {
        let mut vault = Vault::with_keys(self.disk(), keys());
        let mut net = FusedOffice(self.office.clone(), self.rig.fuse.clone());
        let mut notes = Vec::new();
        for _ in 0..10_000 {
            if self.rig.fuse.is_blown() {
                return notes;
            }
            match wipe.step(&mut vault, &mut net, &*self.rig.clock, &*self.rig.rng) {
                WipeProgress::Went(note) => notes.extend(note.map(|note| *note)),
                WipeProgress::Wait(until) => self.rig.clock.set(until),
                WipeProgress::Clean => return notes,
            }
        }
        panic!("it does not end: {:?}", notes.last());
    }

    pub fn journal(&self) -> Option<Journal> {
        Journal::read(&*self.rig.disk.borrow()).unwrap()
    }

    pub fn state(&self) -> Option<State> {
        Vault::new(self.rig.disk.borrow().clone()).state().unwrap()
    }

    /// What lies in the agent's directory.
    pub fn names(&self) -> Vec<String> {
        self.rig.disk.borrow().list("").unwrap()
    }
}

struct FusedLand(Rc<RefCell<Land>>, Rc<crate::common::Fuse>);

impl Ground for FusedLand {
    fn is_there(&self, path: &Path) -> bool {
        self.0.borrow().there.contains(path)
    }

    fn erase(&mut self, path: &Path) -> Erasure {
        match self.1.around(|| self.0.borrow_mut().there.remove(path)) {
            Some(true) => Erasure::Erased,
            Some(false) => Erasure::Absent,
            None => Erasure::Failed("the power is gone".into()),
        }
    }

    fn run(&mut self, _hook: &HookCommand, _journal: &Journal) -> Erasure {
        match self.1.around(|| self.0.borrow_mut().hooks_run += 1) {
            Some(()) => Erasure::Erased,
            None => Erasure::Failed("the power is gone".into()),
        }
    }
}

struct FusedOffice(Rc<RefCell<Office>>, Rc<crate::common::Fuse>);

impl FusedOffice {
    fn ask<T>(&self, ask: impl FnOnce(&mut Office) -> Result<T, Failure>) -> Result<T, Failure> {
        let arrive = |office: &mut Office| {
            if office.unreachable > 0 {
                office.unreachable -= 1;
                return Err(Failure::retry("the server can't be reached"));
            }
            ask(office)
        };
        self.1
            .around(|| arrive(&mut self.0.borrow_mut()))
            .unwrap_or_else(|| Err(Failure::retry("the power is gone")))
    }
}

impl WipeNet for FusedOffice {
    fn farewell(
        &mut self,
        credentials: &Credentials,
        _request: &Farewell,
    ) -> Result<DeviceSelf, Failure> {
        let leaf = credentials.chain[0].clone();
        assert_eq!(leaf.spki_der(), credentials.key.public_key().spki_der());
        self.ask(|office| {
            assert_eq!(office.certificate.as_ref(), Some(&leaf));
            office.told += 1;
            Ok(DeviceSelf {
                device_id: Uuid::from_bytes([1; 16]),
                tenant: "default".into(),
                group: "presses".into(),
                name: "press-1".into(),
                state: DeviceState::Decommissioning,
                serial: leaf.serial_hex(),
                not_after: Time::from_secs(leaf.not_after()),
                server_time: Time::from_secs(0),
            })
        })
    }

    fn receipt(&mut self, request: &ReceiptRequest) -> Result<ReceiptReply, Failure> {
        self.ask(|office| {
            if office.refuses {
                return Err(problem("no-such-device", 404, |_| {}));
            }
            let certificate = office.certificate.as_ref().unwrap();
            let key = certificate.public_key().unwrap();
            let envelope = Envelope::from_value(&request.receipt.0).unwrap();
            let receipt: Receipt = envelope.open([&key]).unwrap();
            assert_eq!(receipt.serial, certificate.serial_hex());
            let device = Uuid::from_bytes(*receipt.device.as_bytes());
            if !office.receipts.contains(&receipt) {
                office.receipts.push(receipt);
            }
            Ok(ReceiptReply {
                device_id: device,
                received_at: Time::from_secs(0),
            })
        })
    }
}
