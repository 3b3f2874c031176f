//! Asking for the certificate.

use std::time::Duration;

use anyhow::Context as _;
use enlist_core::{HardwareIdentity, ProvisioningSecret};
use enlist_pki::Signer;
use enlist_wire::{
    Binary, Client, ClientError, DeviceSelf, DeviceState, EnrollReply, EnrollRequest, Enrolled,
    Pending,
};

use crate::context::{Settings, device_client};
use crate::credentials::{self, Answer, KeyAndToken, Owner, Paths};
use crate::failure::refused;
use crate::refresh::Journal;
use crate::say::say;
use crate::span::Span;
use crate::text::{claimed, shown};

/// What is asked for, and with what.
pub struct Request<'a> {
    /// The device.
    pub owner: &'a Owner,
    /// Its key and token.
    pub own: &'a KeyAndToken,
    /// What lets it in.
    pub secret: &'a ProvisioningSecret,
    /// The hardware it says it is.
    pub hardware: Option<&'a HardwareIdentity>,
    /// Hours that the certificate is to last.
    pub ttl_h: Option<u32>,
    /// How long to wait for a person.
    pub wait: Span,
}

/// What the server says of credentials that are held.
pub enum Held {
    /// The device is active, and this is its certificate.
    Good(Box<DeviceSelf>),
    /// They were revoked for good: the device was deprovisioned or deleted.
    Revoked,
    /// Something else: enrolling will tell what.
    Unclear,
}

/// Asks the server, over the certificate that is held, whether all is well already.
pub fn confirmed(settings: &Settings, held: &credentials::Enrolled) -> anyhow::Result<Held> {
    let client = device_client(settings, Some(held.identity()))?;
    match client.device_self() {
        Ok(device) if device.state == DeviceState::Active => Ok(Held::Good(Box::new(device))),
        Err(error @ ClientError::Unreachable(_)) => Err(error.into()),
        Err(ClientError::Problem(problem)) if problem.slug() == "certificate-revoked" => {
            Ok(Held::Revoked)
        }
        Ok(_) | Err(_) => Ok(Held::Unclear),
    }
}

impl Request<'_> {
    /// Asks until there is a certificate, and writes it.
    pub fn send(
        &self,
        settings: &Settings,
        paths: &Paths,
        journal: &mut Journal,
    ) -> anyhow::Result<Enrolled> {
        let client = device_client(settings, None)?;
        let name = &self.owner.name;
        let csr = enlist_pki::csr::build(self.own.key.as_ref(), name.as_str())
            .context("the certificate request can't be made")?;
        let request = EnrollRequest {
            tenant: self.owner.tenant.to_string(),
            group: self.owner.group.to_string(),
            secret: Some(self.secret.expose().to_owned().into()),
            name: Some(name.to_string()),
            hardware: self.hardware.map(claimed),
            attestation: None,
            csr: Binary(csr),
            device_token: self.own.token.expose().to_owned().into(),
            certificate_ttl_h: self.ttl_h,
        };
        let reply = self.answered(&client, &request)?;
        let landed = self.landed(&reply)?;
        let answer = Answer::checked(&reply, &landed, self.own.key.public_key())?;
        let came_by = (landed != *self.owner).then_some(&self.owner.group);
        journal.passed_on(paths, came_by)?;
        answer.write(paths)?;
        if came_by.is_some() {
            let Owner { group, name, .. } = &landed;
            say!("Its group has passed it on: from now on it is `{name}` of group `{group}`.");
        }
        Ok(reply)
    }

    /// Where the device is now: a hook or an allocation may have put it elsewhere than it asked, though
    /// never into another tenant.
    fn landed(&self, reply: &Enrolled) -> anyhow::Result<Owner> {
        let names = "the server's answer names no device";
        Ok(Owner {
            tenant: self.owner.tenant.clone(),
            group: reply.group.parse().context(names)?,
            name: reply.name.parse().context(names)?,
        })
    }

    fn answered(&self, client: &Client, request: &EnrollRequest) -> anyhow::Result<Enrolled> {
        let mut left = self.wait.0;
        let mut told = false;
        loop {
            let pending = match client.enroll(request)? {
                EnrollReply::Enrolled(enrolled) => return Ok(*enrolled),
                EnrollReply::Pending(pending) => pending,
            };
            if left == 0 {
                return Err(self.still_pending(&pending));
            }
            if !told {
                say!("{}", self.waiting(&pending));
                told = true;
            }
            let pause = pending.retry_after_s.clamp(1, 60).min(left);
            std::thread::sleep(Duration::from_secs(pause));
            left -= pause;
        }
    }

    fn waiting(&self, pending: &Pending) -> String {
        let Owner { group, name, .. } = self.owner;
        let code = pending.code.as_deref().map_or_else(String::new, |code| {
            format!(", with the code {}", shown(code))
        });
        format!(
            "Device `{name}` waits for a person to say yes{code}: `enlist approve device {name} -g {group}`."
        )
    }

    fn still_pending(&self, pending: &Pending) -> anyhow::Error {
        let waiting = self.waiting(pending);
        refused(
            "approval-pending",
            format!("{waiting} Run this command again then, or let it wait with --wait"),
        )
    }
}
