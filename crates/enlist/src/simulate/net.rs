//! The network of a virtual device: the agent's own, with a look at the clock before and after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_agent::disk::Credentials;
use enlist_agent::machine::Failure;
use enlist_agent::net::{HttpNet, Net};
use enlist_core::{SystemClock, Timestamp};
use enlist_pki::path::ServerTrust;
use enlist_wire::{
    ChallengeReply, ChallengeRequest, DeviceSelf, EnrollReply, EnrollRequest, Enrolled, Meter,
    NonceReply, NonceRequest, PollReply, PollRequest, RenewRequest, TokenRequest,
};

use super::ledger::{Ledger, Op};

/// What the networks of all devices have in common.
#[derive(Debug)]
pub struct Wire {
    /// How long one exchange may take.
    pub timeout: Duration,
    /// Counts bytes and connections.
    pub meter: Arc<Meter>,
    /// Takes down how exchanges went.
    pub ledger: Arc<Ledger>,
}

/// The network of one device.
pub struct SimNet {
    wire: Arc<Wire>,
    url: String,
    /// The part of the ledger to write to.
    part: usize,
    trust: ServerTrust,
    /// Its connections, while it has any.
    open: Option<HttpNet>,
}

impl SimNet {
    /// The network of the device of this number, which asks the server at `url`.
    pub fn new(wire: Arc<Wire>, url: String, device: u32, trust: ServerTrust) -> Self {
        Self {
            wire,
            url,
            part: device as usize,
            trust,
            open: None,
        }
    }

    /// Closes its connections.
    pub fn hang_up(&mut self) {
        self.open = None;
    }

    fn ask<T>(
        &mut self,
        op: Op,
        what: impl FnOnce(&mut HttpNet) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let wire = &self.wire;
        // The server's certificates are of the server's time, not of one that runs faster.
        let net = self.open.get_or_insert_with(|| {
            HttpNet::new(
                self.url.clone(),
                self.trust.clone(),
                wire.timeout,
                Arc::new(SystemClock),
            )
            .metered(wire.meter.clone())
        });
        let begun = Instant::now();
        let outcome = what(net);
        wire.ledger.asked(self.part, op, begun.elapsed(), &outcome);
        outcome
    }
}

impl Net for SimNet {
    fn challenge(&mut self, request: &ChallengeRequest) -> Result<ChallengeReply, Failure> {
        self.ask(Op::Other, |net| net.challenge(request))
    }

    fn enroll(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<EnrollReply, Failure> {
        self.ask(Op::Enroll, |net| net.enroll(idevid, request))
    }

    fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure> {
        self.ask(Op::Nonce, |net| net.nonce(request))
    }

    fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure> {
        self.ask(Op::Renew, |net| net.renew(credentials, request))
    }

    fn poll(
        &mut self,
        credentials: &Credentials,
        request: &PollRequest,
    ) -> Result<Option<PollReply>, Failure> {
        self.ask(Op::Poll, |net| net.poll(credentials, request))
    }

    fn new_token(
        &mut self,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Result<DeviceSelf, Failure> {
        self.ask(Op::Other, |net| net.new_token(credentials, request))
    }

    fn time(&mut self) -> Result<Timestamp, Failure> {
        self.ask(Op::Other, Net::time)
    }

    fn believe(&mut self, trust: ServerTrust) {
        self.trust = trust;
        self.open = None;
    }

    fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure> {
        self.ask(Op::Other, |net| net.check_in(credentials))
    }
}
