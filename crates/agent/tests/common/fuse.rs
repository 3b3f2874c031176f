//! Cutting the power: after so many things done, nothing works any more.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use enlist_agent::disk::{Credentials, Disk, MemoryDisk};
use enlist_agent::machine::Failure;
use enlist_agent::net::Net;
use enlist_core::{Clock, Timestamp};
use enlist_pki::path::ServerTrust;
use enlist_wire::{
    ChallengeReply, ChallengeRequest, DeviceSelf, EnrollReply, EnrollRequest, Enrolled, NonceReply,
    NonceRequest, PollReply, PollRequest, RenewRequest, TokenRequest,
};

use super::Server;

/// Whether the power goes before a thing is done, or after, but before anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Counts what is written and asked, and blows at a given count.
#[derive(Debug, Default)]
pub struct Fuse {
    set: Cell<Option<(u32, When)>>,
    count: Cell<u32>,
    blown: Cell<bool>,
    repaired: Cell<bool>,
}

impl Fuse {
    pub fn set(&self, at: u32, when: When) {
        self.set.set(Some((at, when)));
        self.count.set(0);
        self.blown.set(false);
        self.repaired.set(false);
    }

    pub fn repair(&self) {
        self.set.set(None);
        self.repaired
            .set(self.blown.replace(false) || self.repaired.get());
    }

    /// Whether it has blown since it was set, repaired or not.
    pub fn was_blown(&self) -> bool {
        self.blown.get() || self.repaired.get()
    }

    pub fn is_blown(&self) -> bool {
        self.blown.get()
    }

    /// Does `thing`, unless the power goes; `None` when nobody will ever know.
    pub fn around<T>(&self, thing: impl FnOnce() -> T) -> Option<T> {
        if self.blown.get() {
            return None;
        }
        let count = self.count.get();
        self.count.set(count + 1);
        match self.set.get() {
            Some((at, when)) if at == count => {
                self.blown.set(true);
                if when == When::After {
                    thing();
                }
                None
            }
            _ => Some(thing()),
        }
    }
}

pub struct FusedDisk {
    disk: Rc<RefCell<MemoryDisk>>,
    fuse: Rc<Fuse>,
}

impl FusedDisk {
    pub fn new(disk: Rc<RefCell<MemoryDisk>>, fuse: Rc<Fuse>) -> Self {
        Self { disk, fuse }
    }

    fn change(&self, change: impl FnOnce(&mut MemoryDisk) -> io::Result<()>) -> io::Result<()> {
        self.fuse
            .around(|| change(&mut self.disk.borrow_mut()))
            .unwrap_or_else(|| Err(io::Error::other("the power is gone")))
    }
}

impl Disk for FusedDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.disk.borrow().read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.change(|disk| disk.write(path, bytes))
    }

    fn point(&mut self, link: &str, target: &str) -> io::Result<()> {
        self.change(|disk| disk.point(link, target))
    }

    fn target(&self, link: &str) -> io::Result<Option<String>> {
        self.disk.borrow().target(link)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.disk.borrow().list(directory)
    }

    fn remove(&mut self, directory: &str) -> io::Result<()> {
        self.change(|disk| disk.remove(directory))
    }

    fn erase(&mut self, path: &str) -> io::Result<bool> {
        self.fuse
            .around(|| self.disk.borrow_mut().erase(path))
            .unwrap_or_else(|| Err(io::Error::other("the power is gone")))
    }
}

pub struct FusedNet {
    server: Rc<RefCell<Server>>,
    fuse: Rc<Fuse>,
    /// The clock by which the server's chain is verified, where that matters.
    clock: Option<Arc<dyn Clock>>,
}

impl FusedNet {
    pub fn new(server: Rc<RefCell<Server>>, fuse: Rc<Fuse>, clock: Option<Arc<dyn Clock>>) -> Self {
        Self {
            server,
            fuse,
            clock,
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Server) -> Result<T, Failure>) -> Result<T, Failure> {
        if let Some(clock) = &self.clock {
            self.server.borrow().desk.verify_dates(clock.now())?;
        }
        self.around(ask)
    }

    fn around<T>(&self, ask: impl FnOnce(&mut Server) -> Result<T, Failure>) -> Result<T, Failure> {
        self.fuse
            .around(|| ask(&mut self.server.borrow_mut()))
            .unwrap_or_else(|| Err(Failure::retry("the power is gone")))
    }
}

impl Net for FusedNet {
    fn challenge(&mut self, request: &ChallengeRequest) -> Result<ChallengeReply, Failure> {
        self.ask(|server| server.challenge(request))
    }

    fn enroll(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<EnrollReply, Failure> {
        self.ask(|server| server.enroll(idevid, request))
    }

    fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure> {
        self.ask(|server| server.nonce(request))
    }

    fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure> {
        self.ask(|server| server.renew(credentials, request))
    }

    fn poll(
        &mut self,
        credentials: &Credentials,
        request: &PollRequest,
    ) -> Result<Option<PollReply>, Failure> {
        self.ask(|server| server.poll(credentials, request))
    }

    fn new_token(
        &mut self,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Result<DeviceSelf, Failure> {
        self.ask(|server| server.new_token(credentials, request))
    }

    fn time(&mut self) -> Result<Timestamp, Failure> {
        self.around(Server::time)
    }

    fn believe(&mut self, trust: ServerTrust) {
        self.server.borrow_mut().desk.believed = Some(trust);
    }

    fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure> {
        self.ask(|server| server.check_in(credentials))
    }
}
