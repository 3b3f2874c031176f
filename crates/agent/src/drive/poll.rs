//! Polls: what the device says of itself, and what becomes of the answer.

use enlist_core::Timestamp;
use enlist_wire::{DeviceSelf, DeviceState, PollReply, PollRequest, TokenRequest};

use super::exchange::uuid;
use super::{Agent, SecretText};
use crate::disk::Disk;
use crate::machine::{Failure, Outcome, Polled};
use crate::net::Net;

/// The most roots that are looked at in one reply.
const MOST_ROOTS: usize = 8;

impl<D: Disk, N: Net> Agent<D, N> {
    pub(super) fn poll(&mut self) -> Result<Outcome, Failure> {
        let credentials = self.vault.credentials(self.identity()?.slot)?;
        let request = self.report()?;
        let Some(reply) = self.net.poll(&credentials, &request)? else {
            return Ok(Outcome::NoPolls);
        };
        let state = self.seen(&reply.device)?;
        Ok(Outcome::Polled(Box::new(self.answer(reply, state))))
    }

    /// The same of a server that knows no polls.
    pub(super) fn check_in(&mut self) -> Result<Outcome, Failure> {
        let credentials = self.vault.credentials(self.identity()?.slot)?;
        let device = self.net.check_in(&credentials)?;
        Ok(Outcome::Polled(Box::new(Polled {
            state: self.seen(&device)?,
            policy: None,
            commands: Vec::new(),
        })))
    }

    pub(super) fn new_token(&mut self, token: SecretText) -> Result<Outcome, Failure> {
        let credentials = self.vault.credentials(self.identity()?.slot)?;
        let request = TokenRequest {
            device_token: token,
        };
        let device = self.net.new_token(&credentials, &request)?;
        self.seen(&device)?;
        Ok(Outcome::TokenTaken)
    }

    fn report(&mut self) -> Result<PollRequest, Failure> {
        let (holds, configuration) = self.configuration();
        let orders = &self.state()?.orders;
        Ok(PollRequest {
            agent: Some(concat!("enlist-agent/", env!("CARGO_PKG_VERSION")).into()),
            roots: self.trusted.fingerprints(),
            holds,
            configuration,
            last_command: orders.last,
            acknowledged: orders.done.clone(),
            changed_hardware: self.machine.changed_hardware().cloned(),
        })
    }

    fn answer(&mut self, reply: PollReply, state: DeviceState) -> Polled {
        self.offered(&reply.configuration);
        self.roots = reply.roots.into_iter().take(MOST_ROOTS).collect();
        Polled {
            state,
            policy: Some(reply.policy),
            commands: self.told(&reply.commands),
        }
    }

    /// What every answer over the device's certificate says: that it is this device, and the time.
    fn seen(&mut self, device: &DeviceSelf) -> Result<DeviceState, Failure> {
        if device.device_id != uuid(self.identity()?.device_id) {
            return Err(Failure::retry(
                "the server takes this device for another one",
            ));
        }
        self.hear(Timestamp::from_millis(device.server_time.as_millis()));
        Ok(device.state)
    }
}
