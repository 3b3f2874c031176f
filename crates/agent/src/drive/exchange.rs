//! One exchange with the server.

use std::time::Duration;

use enlist_core::{DeviceId, renewal_message};
use enlist_pki::{Signer, csr};
use enlist_wire::{
    Binary, EnrollReply, EnrollRequest, Enrolled, NonceRequest, RenewProof, RenewRequest, Uuid,
};

use super::attest::{by_idevid, by_tpm};
use super::{Agent, check};
use crate::disk::Disk;
use crate::explain;
use crate::machine::{Ask, Enrolling, Evidence, Failure, Outcome, Proof, Renewal};
use crate::net::Net;

impl<D: Disk, N: Net> Agent<D, N> {
    pub(super) fn send(&mut self, ask: Ask) -> Result<Outcome, Failure> {
        match ask {
            Ask::Challenge(enrolling) => self.challenge(enrolling),
            Ask::Enroll(enrolling, evidence) => self.enroll(enrolling, evidence),
            Ask::Nonce => {
                let device_id = uuid(self.identity()?.device_id);
                let reply = self.net.nonce(&NonceRequest { device_id })?;
                Ok(Outcome::Nonce(reply.nonce.0))
            }
            Ask::Renew(renewal, proof) => self.renew(&renewal, proof),
            Ask::Poll => self.poll(),
            Ask::CheckIn => self.check_in(),
            Ask::NewToken(token) => self.new_token(token),
        }
    }

    fn enroll(
        &mut self,
        enrolling: Enrolling,
        evidence: Option<Box<Evidence>>,
    ) -> Result<Outcome, Failure> {
        let key = self.vault.key(enrolling.slot)?;
        let idevid = self.idevid()?;
        let (csr, attestation) = match evidence {
            Some(evidence) => (Binary(evidence.csr), Some(by_tpm(evidence.tpm))),
            None => {
                let csr = request_over(&*key, enrolling.name.as_deref())?;
                (csr, idevid.as_ref().map(|_| by_idevid()))
            }
        };
        let request = EnrollRequest {
            csr,
            attestation,
            tenant: enrolling.tenant,
            group: enrolling.group,
            secret: self.secret.clone(),
            name: enrolling.name,
            hardware: enrolling.hardware,
            device_token: self.state()?.token.clone(),
            certificate_ttl_h: self.ttl_h,
        };
        match self.net.enroll(idevid.as_ref(), &request)? {
            EnrollReply::Enrolled(reply) => self.granted(&reply, &*key, None),
            EnrollReply::Pending(pending) => Ok(Outcome::Pending {
                code: pending.code.as_deref().map(printable),
                retry_after: Duration::from_secs(pending.retry_after_s),
            }),
        }
    }

    fn renew(&mut self, renewal: &Renewal, proof: Proof) -> Result<Outcome, Failure> {
        let identity = self.identity()?;
        let (device, slot) = (identity.device_id, identity.slot);
        let key = self.vault.key(renewal.slot)?;
        let csr = request_over(&*key, Some(&identity.name))?;
        let (credentials, proof) = match proof {
            Proof::Connection => (Some(self.vault.credentials(slot)?), None),
            Proof::Signature { nonce, token } => {
                let (counter, request) = (renewal.counter, renewal.request_id);
                let message = renewal_message(device, counter, request, &nonce, &csr.0);
                let signature = self.vault.key(slot)?.sign(&message);
                let signature = signature.map_err(|why| Failure::retry(explain(&why)))?;
                let proof = RenewProof {
                    device_token: token,
                    nonce: Binary(nonce),
                    signature: Binary(signature),
                };
                (None, Some(proof))
            }
        };
        let request = RenewRequest {
            device_id: uuid(device),
            csr,
            counter: renewal.counter,
            request_id: Uuid::from_bytes(*renewal.request_id.as_bytes()),
            certificate_ttl_h: self.ttl_h,
            proof,
        };
        let reply = self.net.renew(credentials.as_ref(), &request)?;
        self.granted(&reply, &*key, Some(device))
    }

    fn granted(
        &self,
        reply: &Enrolled,
        key: &dyn Signer,
        device: Option<DeviceId>,
    ) -> Result<Outcome, Failure> {
        match check::granted(reply, key.public_key(), device, self.trusted.anchors()) {
            Ok(granted) => Ok(Outcome::Granted(Box::new(granted))),
            Err(bad) => Err(Failure::retry(format!(
                "the server's reply is not taken: {}",
                explain(&bad)
            ))),
        }
    }
}

/// A request over this key. The name in it counts for nothing, but has to be there.
pub(super) fn request_over(key: &dyn Signer, name: Option<&str>) -> Result<Binary, Failure> {
    csr::build(key, name.unwrap_or("device"))
        .map(Binary)
        .map_err(|why| Failure::retry(explain(&why)))
}

pub(super) fn uuid(device: DeviceId) -> Uuid {
    Uuid::from_bytes(*device.as_bytes())
}

/// What a server sends must not steer a terminal.
fn printable(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    text.chars().filter(plain).take(64).collect()
}
