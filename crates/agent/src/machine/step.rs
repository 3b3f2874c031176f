use std::time::Duration;

use enlist_core::{DeviceId, Timestamp};
use enlist_signed::Order;
use enlist_wire::{
    ChallengeReply, DevicePolicy, DeviceState, SecretText, TpmAttestation, TpmEndorsement,
};

use crate::configuration;

use super::{Enrolling, Failure, Identity, Renewal, State, Told, UnderWay, Validity};

/// What to do next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Make a new key in this slot, durably. Answer: [`Outcome::KeyMade`].
    MakeKey(u64),
    /// Put the key of one slot into another one too, durably. Answer: [`Outcome::KeyKept`].
    KeepKey {
        /// Where it is.
        from: u64,
        /// Where it goes.
        to: u64,
    },
    /// Write the pre-enrolled identity to this slot, durably. Answer: [`Outcome::Adopted`].
    Adopt(u64),
    /// Write the state, durably. Answer: [`Outcome::Saved`].
    Save(Box<State>),
    /// Write a certificate beside the key in this slot, durably. Answer: [`Outcome::Installed`].
    Install(u64, Box<Granted>),
    /// Make this slot the one that others read. Answer: [`Outcome::Activated`].
    Activate(u64),
    /// Run what is to be run after a new certificate. Answer: [`Outcome::HooksRun`], however it went.
    RunHooks(u64),
    /// Remove every slot but these. Answer: [`Outcome::Tidied`].
    Tidy(Vec<u64>),
    /// Have the TPM answer the server's challenge for the key in this slot. Answer: [`Outcome::Attested`].
    Attest(u64, Box<Challenge>),
    /// Carry out an order that is not about certificate or token. Answer: [`Outcome::CarriedOut`].
    CarryOut(UnderWay),
    /// Nothing may be done, and this is why. Answer: [`Outcome::Failed`] with it.
    Refuse(Failure),
    /// Ask the server. The answer depends on what was asked.
    Send(Ask),
    /// Nothing before this time, or before something from outside comes up. No answer.
    Wait(Timestamp),
}

/// What to ask the server.
#[derive(Clone, Debug)]
pub enum Ask {
    /// For a challenge to this device's TPM. Answer: [`Outcome::Challenged`].
    Challenge(Enrolling),
    /// To enroll, with what the TPM has stated where it is to. Answer: [`Outcome::Granted`] or
    /// [`Outcome::Pending`].
    Enroll(Enrolling, Option<Box<Evidence>>),
    /// For a nonce. Answer: [`Outcome::Nonce`].
    Nonce,
    /// To renew. Answer: [`Outcome::Granted`].
    Renew(Renewal, Proof),
    /// For what there is, over the current certificate, which puts that to use. Answer:
    /// [`Outcome::Polled`], or [`Outcome::NoPolls`].
    Poll,
    /// The same of a server that knows no polls: who the current certificate says it is. Answer:
    /// [`Outcome::Polled`].
    CheckIn,
    /// To take this token in place of the one before. Answer: [`Outcome::TokenTaken`].
    NewToken(SecretText),
}

/// What proves to the server that it is this device that renews.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The connection, made with the current certificate.
    Connection,
    /// The token, and a signature over a nonce by the current certificate's key.
    Signature {
        /// The server's nonce.
        nonce: Vec<u8>,
        /// The device's token.
        token: SecretText,
    },
}

/// What came of a step.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A key is in this slot.
    KeyMade(u64),
    /// The key from before is in this slot too.
    KeyKept(u64),
    /// The pre-enrolled identity is in this slot.
    Adopted(u64),
    /// The state is written.
    Saved,
    /// The certificate is written.
    Installed,
    /// Others read this slot now.
    Activated(u64),
    /// The hooks of this slot have been run.
    HooksRun(u64),
    /// No other slots are left.
    Tidied,
    /// The server challenges the TPM.
    Challenged(Box<Challenge>),
    /// The TPM has answered.
    Attested(Box<Evidence>),
    /// The server wants this nonce signed.
    Nonce(Vec<u8>),
    /// The server has granted a certificate, and it has been checked against key and device.
    Granted(Box<Granted>),
    /// A person has to say yes first.
    Pending {
        /// The code by which that person knows the device.
        code: Option<String>,
        /// How long to wait before asking again.
        retry_after: Duration,
    },
    /// The server has answered for the current certificate.
    Polled(Box<Polled>),
    /// The server knows no polls.
    NoPolls,
    /// The server has the new token.
    TokenTaken,
    /// An order was carried out, or can't be.
    CarriedOut {
        /// Whether it was.
        done: bool,
        /// Why not, or what is worth knowing.
        detail: Option<String>,
    },
    /// It came to nothing.
    Failed(Failure),
}

/// A challenge, and the TPM that it is for.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The TPM, as the server was told of it.
    pub tpm: TpmEndorsement,
    /// What the server wants of it.
    pub reply: ChallengeReply,
}

/// What a TPM has stated. It is good for one request, and not for long.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The request that it is about, PKCS#10 as DER.
    pub csr: Vec<u8>,
    /// The statement, with the answer to the challenge.
    pub tpm: TpmAttestation,
}

/// What the server had for the device.
#[derive(Clone, Debug)]
pub struct Polled {
    /// Where the device stands in its life.
    pub state: DeviceState,
    /// How the group wants its devices to go about things, where the server said so.
    pub policy: Option<DevicePolicy>,
    /// Commands whose signature is good, lowest number first.
    pub commands: Vec<Told>,
}

/// A certificate that the server has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The device.
    pub device_id: DeviceId,
    /// Its tenant.
    pub tenant: String,
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The certificate in short.
    pub validity: Validity,
    /// The certificate and the CA that issued it, PEM.
    pub certificate_pem: String,
    /// The CA that issued it and the root, PEM.
    pub ca_pem: String,
    /// When the certificate was issued, by the server's clock, in seconds since the epoch.
    pub issued_at: i64,
    /// The keys that may sign commands, PEM.
    pub command_keys: Vec<String>,
    /// How the group wants its devices to go about things.
    pub policy: DevicePolicy,
}

/// What is worth telling a person.
#[derive(Clone, Debug)]
pub enum Note {
    /// A pre-enrolled identity was taken up.
    TakenUp(Identity),
    /// A person has to say yes first.
    Pending {
        /// The code by which that person knows the device.
        code: Option<String>,
        /// The code of the application before, where that one is gone: rejected, or not answered in time.
        turned_away: Option<String>,
    },
    /// The device is enrolled.
    Enrolled(Identity),
    /// The device has a new certificate.
    Renewed(Identity),
    /// Something went wrong.
    Trouble {
        /// What.
        failure: Failure,
        /// Whether it is the same as the last time.
        again: bool,
        /// When it is tried again.
        until: Timestamp,
    },
    /// The server answers again after something went wrong.
    Recovered,
    /// The device was told to do something, and has taken it.
    Ordered(UnderWay),
    /// It has done it, or can't.
    Done {
        /// What it was told.
        order: Order,
        /// Whether it was done.
        done: bool,
        /// Why not, or what is worth knowing.
        detail: Option<String>,
    },
    /// The device finds itself on other hardware than it enrolled on.
    OtherHardware {
        /// What it enrolled on.
        was: String,
        /// What it is on now.
        is: String,
    },
    /// Certificate and key can't be put where other programs read them. It is tried again.
    NotExported {
        /// Why.
        why: String,
    },
    /// Something that came in is not taken.
    NotTaken {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Something about the configuration of what runs on the device.
    Configuration(configuration::Note),
    /// A new root is believed from now on: its fingerprint.
    RootTaken(String),
    /// The clock goes by the server's time from now on.
    ClockSet {
        /// What it was.
        was: Timestamp,
        /// What it is.
        is: Timestamp,
    },
}

impl Step {
    pub(super) fn save(state: State) -> Self {
        Self::Save(Box::new(state))
    }
}

impl Granted {
    /// The identity of a device that has just enrolled.
    pub(super) fn first_identity(&self, slot: u64) -> Identity {
        Identity {
            device_id: self.device_id,
            tenant: self.tenant.clone(),
            group: self.group.clone(),
            name: self.name.clone(),
            slot,
            previous: None,
            validity: Some(self.validity.clone()),
            counter: 0,
            confirmed: false,
            pre_enrolled: false,
            announce: true,
            renewal: None,
        }
    }

    /// The identity of a device whose renewal went through.
    pub(super) fn next_identity(&self, before: &Identity, renewal: &Renewal) -> Identity {
        Identity {
            previous: Some(before.slot),
            counter: renewal.counter,
            ..self.first_identity(renewal.slot)
        }
    }
}
