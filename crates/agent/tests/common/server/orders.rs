//! What the tests' server has for devices that poll, and what they tell it.

use enlist_agent::disk::Credentials;
use enlist_agent::machine::Failure;
use enlist_core::{DeviceId, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::path::ServerTrust;
use enlist_pki::{Certificate, KeyKind, Signer};
use enlist_signed::{Command, Envelope, Order, Trust};
use enlist_wire::{
    Acknowledgement, ConfigurationOffer, DevicePolicy, DeviceSelf, PollReply, PollRequest,
    RootOffer, TokenRequest,
};
use rustls::CertificateError;

use super::ca::{Ca, ca, cross};
use super::fault::lost;
use super::{Server, problem};

/// Where orders are given and acknowledged.
pub struct Desk {
    key: FileKey,
    commands: Vec<(u64, Envelope)>,
    /// What devices have acknowledged.
    pub acknowledged: Vec<Acknowledgement>,
    pub policy: DevicePolicy,
    pub configuration: ConfigurationOffer,
    pub roots: Vec<RootOffer>,
    /// The last poll.
    pub report: Option<PollRequest>,
    pub polls: u32,
    pub knows_polls: bool,
    /// A device that polls from other hardware is heard with an expired certificate.
    pub hears_expired: bool,
    /// How often the time alone was asked for.
    pub times_asked: u32,
    /// What the server says is the time, where that is not the truth.
    pub claims_time: Option<i64>,
    /// From when to when the server's certificates hold.
    pub chain: Option<(i64, i64)>,
    /// Whom the device believes.
    pub believed: Option<ServerTrust>,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            key: FileKey::generate(KeyKind::P256).unwrap(),
            commands: Vec::new(),
            acknowledged: Vec::new(),
            policy: DevicePolicy::default(),
            configuration: ConfigurationOffer::default(),
            roots: Vec::new(),
            report: None,
            polls: 0,
            knows_polls: true,
            hears_expired: false,
            times_asked: 0,
            claims_time: None,
            chain: None,
            believed: None,
        }
    }

    pub fn command_keys(&self) -> Vec<String> {
        vec![self.key.public_key().to_pem()]
    }

    /// As a device does that verifies the server's certificates by its own clock.
    pub fn verify_dates(&self, now: Timestamp) -> Result<(), Failure> {
        let why = match self.chain {
            Some((from, _)) if now.as_secs() < from => CertificateError::NotValidYet,
            Some((_, until)) if now.as_secs() > until => CertificateError::Expired,
            _ => return Ok(()),
        };
        let why = rustls::Error::InvalidCertificate(why);
        Err(enlist_wire::ClientError::Tls(why).into())
    }
}

impl Server {
    /// Gives the first device an order.
    pub fn order(&mut self, order: Order) -> u64 {
        let number = self.desk.commands.len() as u64 + 1;
        let command = self.command(number, order);
        let envelope = Envelope::seal(&command, &self.desk.key).unwrap();
        self.desk.commands.push((number, envelope));
        number
    }

    /// Lists this as an order, whatever it is.
    pub fn list(&mut self, number: u64, envelope: Envelope) {
        self.desk.commands.push((number, envelope));
    }

    pub fn listed(&self, number: u64) -> Envelope {
        let one = self.desk.commands.iter().find(|(n, _)| *n == number);
        one.unwrap().1.clone()
    }

    /// An order to the first device, signed by nobody yet.
    pub fn command(&self, number: u64, order: Order) -> Command {
        Command {
            tenant: "default".parse().unwrap(),
            device: self.devices[0].id,
            number,
            order,
            at: Timestamp::from_secs(self.now()),
        }
    }

    pub fn command_key(&self) -> &FileKey {
        &self.desk.key
    }

    /// Lets the first device enroll once more as the device that it was, with another key and token.
    pub fn allow_again(&mut self) {
        let device = self.devices.remove(0);
        self.gone.push(device.current);
        self.returns = Some(device.id);
    }

    pub fn device_id(&self) -> DeviceId {
        self.devices[0].id
    }

    /// SHA-256 of the key of the first device's certificate.
    pub fn current_key(&self) -> [u8; 32] {
        self.devices[0].current.public_key().unwrap().digest()
    }

    pub fn token(&self) -> &str {
        &self.devices[0].token
    }

    /// The token before the current one is good for nothing any more.
    pub fn forget_previous_token(&mut self) {
        self.devices[0].previous_token = None;
    }

    /// A new root, signed by the one that devices believe. From now on certificates are issued below it.
    pub fn roll_over(&mut self) -> Certificate {
        let next = ca("Next", None, &self.clock);
        let offer = self.offer_of(&next, None);
        self.desk.roots.push(offer);
        let root = next.certificate.clone();
        self.next_root = Some(next);
        root
    }

    /// What offers a root, with the group's yes where there is one.
    pub fn offer_of(&self, next: &Ca, approval: Option<(&Trust, &FileKey)>) -> RootOffer {
        RootOffer {
            root: next.certificate.to_pem(),
            cross: cross(next, &self.root, &self.clock).to_pem(),
            approval: approval.map(|(trust, key)| {
                enlist_wire::Envelope(Envelope::seal(trust, key).unwrap().to_value())
            }),
        }
    }

    /// Offers the new root again, and nothing else, with this yes of the group's.
    pub fn offer_again(&mut self, approval: Option<(&Trust, &FileKey)>) {
        let next = self.next_root.as_ref().unwrap();
        self.desk.roots = vec![self.offer_of(next, approval)];
    }

    /// Issues below the new root.
    pub fn move_below_the_new_root(&mut self) {
        let next = self.next_root.take().unwrap();
        self.issuing = ca("Issuing 2", Some(&next), &self.clock);
        self.root = next;
    }

    /// An offer of a root that another one has signed, which nobody believes.
    pub fn offer_strange_root(&mut self) {
        let next = ca("Next", None, &self.clock);
        self.desk.roots.push(RootOffer {
            root: next.certificate.to_pem(),
            cross: cross(&next, &self.other, &self.clock).to_pem(),
            approval: None,
        });
    }

    pub fn poll(
        &mut self,
        credentials: &Credentials,
        request: &PollRequest,
    ) -> Result<Option<PollReply>, Failure> {
        let fault = self.arrive()?;
        if !self.desk.knows_polls {
            return lost(fault, None);
        }
        self.desk.hears_expired = request.changed_hardware.is_some();
        let at = self.presented(credentials);
        self.desk.hears_expired = false;
        let at = at?;
        let device = self.used(at, credentials);
        self.desk.polls += 1;
        for one in &request.acknowledged {
            let known = self
                .desk
                .acknowledged
                .iter()
                .find(|k| k.number == one.number);
            match known {
                Some(known) => assert_eq!(known, one, "it says the same of the same order"),
                None => self.desk.acknowledged.push(one.clone()),
            }
        }
        let rotated = |one: &Acknowledgement| {
            self.desk.commands.iter().any(|(number, envelope)| {
                let order = envelope.claim().map(|command: Command| command.order);
                *number == one.number && matches!(order, Ok(Order::RotateToken)) && one.done
            })
        };
        if request.acknowledged.iter().any(rotated) {
            self.devices[at].previous_token = None;
        }
        self.desk.report = Some(request.clone());
        let open = self.desk.commands.iter();
        let open = open.filter(|(number, _)| *number > request.last_command);
        let held = |offer: &&RootOffer| {
            let root = Certificate::from_pem(&offer.root).unwrap().fingerprint();
            let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
            !request.roots.contains(&root)
        };
        let reply = PollReply {
            device,
            policy: self.desk.policy,
            configuration: self.desk.configuration.clone(),
            commands: open
                .map(|(_, envelope)| enlist_wire::Envelope(envelope.to_value()))
                .collect(),
            roots: self.desk.roots.iter().filter(held).cloned().collect(),
        };
        lost(fault, Some(reply))
    }

    pub fn new_token(
        &mut self,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Result<DeviceSelf, Failure> {
        let fault = self.arrive()?;
        let at = self.presented(credentials)?;
        let token = request.device_token.expose().to_owned();
        let device = &mut self.devices[at];
        if device.token != token {
            let before = std::mem::replace(&mut device.token, token);
            device.previous_token.get_or_insert(before);
        }
        if device.suspended {
            return Err(problem("device-suspended", 403, |_| {}));
        }
        let reply = self.used(at, credentials);
        lost(fault, reply)
    }

    /// The time, as far as the server's certificates hold then.
    pub fn time(&mut self) -> Result<Timestamp, Failure> {
        self.arrive()?;
        self.desk.times_asked += 1;
        let time = Timestamp::from_secs(self.desk.claims_time.unwrap_or(self.now()));
        self.desk
            .verify_dates(time)
            .map_err(|_| Failure::retry("its certificates do not hold then"))?;
        Ok(time)
    }
}
