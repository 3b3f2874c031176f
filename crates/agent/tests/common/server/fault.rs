//! What the tests' server does wrong.

use enlist_agent::machine::Failure;
use enlist_core::DeviceId;
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_wire::{ClientError, Enrolled, Problem, Uuid};

use super::Server;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    LoseRequest,
    /// It is answered, and the answer is lost.
    LoseReply,
    /// The answer is spoiled.
    Spoil(Spoil),
    /// The server answers with this status and nothing of Enlist's.
    Foreign(u16),
    /// The server refuses with this problem.
    Refuse(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    AnotherKey,
    AnotherDevice,
    AnotherRoot,
    NoCertificate,
    HostileName,
}

impl Server {
    /// One request more; `Err` when it never arrives.
    pub(super) fn arrive(&mut self) -> Result<Option<Fault>, Failure> {
        self.asked += 1;
        match self.faults.pop_front().flatten() {
            _ if self.gone_away => Err(Failure::retry("lost on the way there")),
            Some(Fault::LoseRequest) => Err(Failure::retry("lost on the way there")),
            Some(Fault::Foreign(status)) => Err(ClientError::Foreign {
                status,
                retry_after_s: None,
            }
            .into()),
            Some(Fault::Refuse(slug @ "secret-rate")) => Err(problem(slug, 429, |_| {})),
            Some(Fault::Refuse(slug)) => Err(problem(slug, 403, |_| {})),
            fault => Ok(fault),
        }
    }

    pub(super) fn spoil(&mut self, mut reply: Enrolled, spoil: Spoil) -> Enrolled {
        let id = DeviceId::from_bytes(reply.device_id.into_bytes());
        let other_key = FileKey::generate(KeyKind::P256).unwrap();
        match spoil {
            Spoil::AnotherKey => {
                let other = self.issue(id, "press-1", other_key.public_key());
                reply.certificate = other.to_pem();
            }
            Spoil::AnotherDevice => reply.device_id = Uuid::from_bytes([5; 16]),
            Spoil::AnotherRoot => {
                let other = &self.other.certificate;
                reply.root = other.to_pem();
            }
            Spoil::NoCertificate => reply.certificate = "-----BEGIN CERTIFICATE-----".into(),
            Spoil::HostileName => reply.name = "press-1\n../../etc".into(),
        }
        reply
    }
}

pub(super) fn lost<T>(fault: Option<Fault>, reply: T) -> Result<T, Failure> {
    match fault {
        Some(Fault::LoseReply) => Err(Failure::retry("lost on the way back")),
        _ => Ok(reply),
    }
}

pub fn problem(slug: &str, status: u16, change: impl FnOnce(&mut Problem)) -> Failure {
    let mut problem = Problem::new(slug, status, "Refused", "It was refused.");
    change(&mut problem);
    ClientError::Problem(Box::new(problem)).into()
}
