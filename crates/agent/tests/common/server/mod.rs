//! A server of the tests' own: it follows the rules of exactly-once and of renewal, and fails or lies
//! when told to.

mod ca;
mod fault;
mod orders;
mod proof;
mod zero_touch;

use std::collections::VecDeque;
use std::sync::Arc;

use enlist_agent::config::Quadruple;
use enlist_agent::disk::Credentials;
use enlist_agent::machine::{Failure, Identity};
use enlist_core::{Clock, DeviceId, DeviceToken, RequestId, renewal_message};
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, Csr, DistinguishedName, Extension, KeyKind,
    KeyPurpose, KeyUse, PublicKey, Signer, SubjectName, sign_certificate,
};
use enlist_wire::{
    Binary, DeviceSelf, DeviceState, EnrollReply, EnrollRequest, Enrolled, KeyRotation, NonceReply,
    NonceRequest, Pending, RenewRequest, Time, Uuid,
};
use secrecy::ExposeSecret;

use super::{FakeClock, HOUR, SeededRng};
pub use ca::{Ca, ca};
use fault::lost;
pub use fault::{Fault, Spoil, problem};
pub use orders::Desk;
pub use zero_touch::Proofs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Open,
    Approve,
}

struct Device {
    id: DeviceId,
    name: String,
    token: String,
    previous_token: Option<String>,
    enrolled_key: Vec<u8>,
    current: Certificate,
    previous: Option<Certificate>,
    counter: u64,
    request: Option<(Uuid, Vec<u8>)>,
    pre_enrolled: bool,
    suspended: bool,
    decommissioning: bool,
    revoked: bool,
}

pub struct Server {
    policy: Policy,
    clock: Arc<FakeClock>,
    rng: SeededRng,
    root: Ca,
    issuing: Ca,
    other: Ca,
    next_root: Option<Ca>,
    devices: Vec<Device>,
    gone: Vec<Certificate>,
    returns: Option<DeviceId>,
    approved: bool,
    clones_suspected: u32,
    issued: u32,
    pub faults: VecDeque<Option<Fault>>,
    pub asked: u32,
    /// Nothing reaches it.
    pub gone_away: bool,
    pub lifetime_h: i64,
    /// How many seconds the server's clock is behind the device's.
    pub clock_behind: i64,
    pub calls_all_expired: bool,
    pub retry_after_s: u64,
    /// What it has for devices that poll.
    pub desk: Desk,
    /// What devices without a secret have to prove.
    pub proofs: Proofs,
}

impl Server {
    pub fn new(policy: Policy, clock: Arc<FakeClock>) -> Self {
        let root = ca("Root", None, &clock);
        let issuing = ca("Issuing", Some(&root), &clock);
        let other = ca("Root", None, &clock);
        Self {
            policy,
            clock,
            rng: SeededRng::new(2),
            root,
            issuing,
            other,
            next_root: None,
            devices: Vec::new(),
            gone: Vec::new(),
            returns: None,
            approved: false,
            clones_suspected: 0,
            issued: 0,
            faults: VecDeque::new(),
            asked: 0,
            gone_away: false,
            lifetime_h: 168,
            clock_behind: 0,
            calls_all_expired: false,
            retry_after_s: 15,
            desk: Desk::new(),
            proofs: Proofs::default(),
        }
    }

    pub fn root_pem(&self) -> &str {
        Box::leak(self.root.certificate.to_pem().into_boxed_str())
    }

    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    pub fn clones_suspected(&self) -> u32 {
        self.clones_suspected
    }

    pub fn issued(&self) -> u32 {
        self.issued
    }

    pub fn approve(&mut self) {
        self.approved = true;
    }

    pub fn suspend(&mut self, suspended: bool) {
        self.devices[0].suspended = suspended;
    }

    pub fn decommission(&mut self) {
        self.devices[0].decommissioning = true;
    }

    pub fn revoke(&mut self) {
        self.devices[0].revoked = true;
    }

    /// Takes the device's credentials away; its name stays free for it.
    pub fn deprovision(&mut self) {
        let device = self.devices.remove(0);
        self.gone.push(device.current);
    }

    /// The device's own view is the server's view.
    pub fn check_agrees(&self, identity: &Identity) {
        let device = self.devices.iter().find(|d| d.id == identity.device_id);
        let device = device.expect("the server knows the device");
        let validity = identity.validity.as_ref().unwrap();
        assert_eq!(device.current.serial_hex(), validity.serial);
        assert_eq!(device.counter, identity.counter);
        assert!(device.previous.is_none(), "the new certificate was used");
        assert!(!device.pre_enrolled);
    }

    pub fn pre_enroll(&mut self, name: &str) -> Quadruple {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let token = DeviceToken::generate(&self.rng);
        let id = DeviceId::new(&*self.clock, &self.rng);
        let certificate = self.issue(id, name, key.public_key());
        self.devices.push(Device {
            id,
            name: name.into(),
            token: token.expose().into(),
            previous_token: None,
            enrolled_key: certificate.spki_der().to_vec(),
            current: certificate.clone(),
            previous: None,
            counter: 0,
            request: None,
            pre_enrolled: true,
            suspended: false,
            decommissioning: false,
            revoked: false,
        });
        let pem = key.to_pkcs8_pem().unwrap();
        Quadruple {
            device_id: id,
            device_token: token,
            chain: vec![certificate, self.issuing.certificate.clone()],
            private_key_pem: pem.expose_secret().to_owned().into(),
        }
    }

    pub fn enroll(
        &mut self,
        idevid: Option<&Credentials>,
        request: &EnrollRequest,
    ) -> Result<EnrollReply, Failure> {
        let fault = self.arrive()?;
        self.verify(idevid, request)?;
        let reply = self.admit(request)?;
        match (fault, reply) {
            (Some(Fault::Spoil(spoil)), EnrollReply::Enrolled(reply)) => {
                Ok(EnrollReply::Enrolled(Box::new(self.spoil(*reply, spoil))))
            }
            (fault, reply) => lost(fault, reply),
        }
    }

    fn admit(&mut self, request: &EnrollRequest) -> Result<EnrollReply, Failure> {
        let csr = Csr::from_der(&request.csr.0).unwrap();
        let key = csr.public_key().clone();
        let token = request.device_token.expose();
        let known = |d: &&Device| d.enrolled_key == key.spki_der();
        if let Some(device) = self.devices.iter().find(known) {
            if device.token != token || request.name.as_ref() != Some(&device.name) {
                return Err(problem("enrollment-conflict", 409, |_| {}));
            }
            let expired = device.current.not_after() < self.now();
            if device.counter > 0 || expired {
                let id = device.id.to_string();
                return Err(problem("already-enrolled", 409, |problem| {
                    problem.extensions.insert("device_id".into(), id.into());
                }));
            }
            return Ok(EnrollReply::Enrolled(Box::new(self.enrolled(device))));
        }
        let name = request.name.clone().unwrap_or_else(|| "device-1".into());
        if self.devices.iter().any(|device| device.name == name) {
            return Err(problem("device-already-enrolled", 409, |_| {}));
        }
        if self.policy == Policy::Approve && !self.approved {
            return Ok(EnrollReply::Pending(Pending {
                device_id: Uuid::from_bytes([9; 16]),
                name,
                code: Some(self.proofs.code.unwrap_or("K7P-3QF").into()),
                retry_after_s: self.retry_after_s,
            }));
        }
        let returns = self.returns.take();
        let id = returns.unwrap_or_else(|| DeviceId::new(&*self.clock, &self.rng));
        let current = self.issue(id, &name, &key);
        self.devices.push(Device {
            id,
            name,
            token: token.into(),
            previous_token: None,
            enrolled_key: key.spki_der().to_vec(),
            current,
            previous: None,
            counter: 0,
            request: None,
            pre_enrolled: false,
            suspended: false,
            decommissioning: false,
            revoked: false,
        });
        let device = &self.devices[self.devices.len() - 1];
        Ok(EnrollReply::Enrolled(Box::new(self.enrolled(device))))
    }

    pub fn nonce(&mut self, request: &NonceRequest) -> Result<NonceReply, Failure> {
        let fault = self.arrive()?;
        let mut nonce = request.device_id.as_bytes().to_vec();
        nonce.extend((self.now() + 60).to_be_bytes());
        lost(
            fault,
            NonceReply {
                nonce: Binary(nonce),
                expires_at: Time::from_secs(self.now() + 60),
            },
        )
    }

    pub fn renew(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure> {
        let fault = self.arrive()?;
        let reply = self.renewed(credentials, request)?;
        match fault {
            Some(Fault::Spoil(spoil)) => Ok(self.spoil(reply, spoil)),
            fault => lost(fault, reply),
        }
    }

    fn renewed(
        &mut self,
        credentials: Option<&Credentials>,
        request: &RenewRequest,
    ) -> Result<Enrolled, Failure> {
        let (at, by_current) = self.proved(credentials, request)?;
        if by_current {
            // Proving itself by the current certificate is its first use.
            self.devices[at].previous = None;
        }
        let csr = Csr::from_der(&request.csr.0).unwrap();
        let asked = (request.request_id, csr.public_key().spki_der().to_vec());
        let device = &self.devices[at];
        if request.counter == device.counter && device.request.as_ref() == Some(&asked) {
            return Ok(self.enrolled(device));
        }
        let same_key = device.current.spki_der() == csr.public_key().spki_der();
        if same_key && self.desk.policy.key_rotation == KeyRotation::Rotate {
            return Err(problem("key-not-new", 409, |_| {}));
        }
        if request.counter <= device.counter {
            self.clones_suspected += 1;
            return Err(problem("clone-suspected", 409, |_| {}));
        }
        let (id, name) = (device.id, device.name.clone());
        let certificate = self.issue(id, &name, csr.public_key());
        let device = &mut self.devices[at];
        let before = std::mem::replace(&mut device.current, certificate);
        device.previous.get_or_insert(before);
        device.counter = request.counter;
        device.request = Some(asked);
        device.pre_enrolled = false;
        Ok(self.enrolled(&self.devices[at]))
    }

    pub fn check_in(&mut self, credentials: &Credentials) -> Result<DeviceSelf, Failure> {
        let fault = self.arrive()?;
        let at = self.presented(credentials)?;
        lost(fault, self.used(at, credentials))
    }

    /// What the device is told about itself; a new certificate is in use from here on.
    fn used(&mut self, at: usize, credentials: &Credentials) -> DeviceSelf {
        let now = self.now();
        let device = &mut self.devices[at];
        let leaf = &credentials.chain[0];
        if *leaf == device.current {
            device.previous = None;
        }
        let state = if device.decommissioning {
            DeviceState::Decommissioning
        } else if device.suspended {
            DeviceState::Suspended
        } else {
            DeviceState::Active
        };
        DeviceSelf {
            device_id: Uuid::from_bytes(*device.id.as_bytes()),
            tenant: "default".into(),
            group: "presses".into(),
            name: device.name.clone(),
            state,
            serial: leaf.serial_hex(),
            not_after: Time::from_secs(leaf.not_after()),
            server_time: Time::from_secs(now),
        }
    }

    fn issue(&mut self, id: DeviceId, name: &str, key: &PublicKey) -> Certificate {
        self.issued += 1;
        let now = self.now();
        let subject = DistinguishedName::new(&[(Attribute::CommonName, name)]).unwrap();
        let names = [SubjectName::Uri(format!("urn:uuid:{id}"))];
        let spec = CertificateSpec {
            serial: &(u64::from(self.issued) << 8 | 7).to_be_bytes(),
            issuer: &self.issuing.certificate.subject(),
            subject: &subject,
            public_key: key,
            not_before: now - 300,
            not_after: now + self.lifetime_h * HOUR,
            extensions: &[
                &Extension::key_purposes(&[KeyPurpose::ClientAuth]).unwrap(),
                &Extension::subject_names(&names).unwrap(),
            ],
        };
        sign_certificate(&spec, &self.issuing.key).unwrap()
    }

    fn enrolled(&self, device: &Device) -> Enrolled {
        Enrolled {
            device_id: Uuid::from_bytes(*device.id.as_bytes()),
            tenant: "default".into(),
            group: "presses".into(),
            name: device.name.clone(),
            certificate: device.current.to_pem(),
            issuing_ca: self.issuing.certificate.to_pem(),
            chain: Vec::new(),
            root: self.root.certificate.to_pem(),
            not_before: Time::from_secs(device.current.not_before()),
            not_after: Time::from_secs(device.current.not_after()),
            serial: device.current.serial_hex(),
            issued_at: Some(Time::from_secs(device.current.not_before() + 300)),
            command_keys: self.desk.command_keys(),
            policy: self.desk.policy,
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_secs() - self.clock_behind
    }
}
