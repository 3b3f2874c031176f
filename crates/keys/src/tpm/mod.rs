//! A TPM 2.0: the few commands that keys and sealed secrets need, one connection an operation.
//!
//! The commands are those of the TPM 2.0 Library Specification, Part 3. Where there is no
//! resource manager, what is loaded stays loaded until somebody flushes it, so everything here
//! that loads also flushes, also when it fails.

mod attest;
mod endorsement;
mod failure;
mod nv;
mod object;
mod seal;
mod session;
mod template;
mod transport;

use std::path::Path;
use std::time::Duration;

use tpm2_protocol::TpmWriter;
use tpm2_protocol::basic::TpmHandle;
use tpm2_protocol::data::{TpmRcBase, TpmRh, TpmSt, TpmSu, TpmaSession, TpmsAuthCommand};
use tpm2_protocol::frame::{
    TpmFrame, TpmResponse, TpmStartupCommand, TpmUnmarshalBody, tpm_marshal_command,
};
use zeroize::Zeroizing;

pub(crate) use attest::public_bytes;
use endorsement::Endorsed;
pub(crate) use failure::Failure;
pub(crate) use object::{Found, Point};
pub(crate) use seal::{seal, unseal};
use transport::Transport;

use crate::store::TpmAddress;

/// An open connection to a TPM.
pub(crate) struct Tpm {
    transport: Transport,
}

/// What a command needs beside its parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    /// Nothing.
    None,
    /// The empty password of what its first handle names.
    Empty,
    /// A session each for what its first two handles name; [`PASSWORD`] for the empty password.
    Both(u32, u32),
}

/// The session that is the empty password.
const PASSWORD: u32 = TpmRh::Pw as u32;

impl Tpm {
    /// Connects, does `work`, and disconnects. Where the TPM has no room left for objects, it is
    /// done once more after everything has been flushed: without a resource manager, what a
    /// program had loaded when it was killed is loaded still; and since whoever holds the
    /// connection is alone with the TPM, it is nobody's any more.
    pub fn with<T>(
        address: &TpmAddress,
        work: impl Fn(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let transport = Transport::open(address).map_err(Failure::Silent)?;
        let mut tpm = Self { transport };
        match work(&mut tpm) {
            Err(error) if error.is_full() => {
                tpm.flush_all()?;
                work(&mut tpm)
            }
            other => other,
        }
    }

    /// Whether there is a TPM of the machine's own, as far as names say.
    pub fn machine_has_one() -> bool {
        Path::new(transport::MANAGED).exists() || Path::new(transport::BARE).exists()
    }

    /// What to call the place in words for people.
    pub fn place(address: &TpmAddress) -> String {
        match address {
            TpmAddress::Machine => format!("{} or {}", transport::MANAGED, transport::BARE),
            TpmAddress::Device(path) | TpmAddress::SwtpmSocket(path) => path.display().to_string(),
            TpmAddress::SwtpmTcp(name) => name.clone(),
        }
    }

    /// Runs a command. `doing` says what for, as in "the TPM refuses to …".
    fn run<C: TpmFrame, R: TpmUnmarshalBody>(
        &mut self,
        command: &C,
        auth: Auth,
        doing: &'static str,
    ) -> Result<R, Failure> {
        let response = self.bytes(command, auth, doing)?;
        Ok(TpmResponse::cast(&response)?.unmarshal()?)
    }

    /// The same, and the response as it came.
    fn bytes<C: TpmFrame>(
        &mut self,
        command: &C,
        auth: Auth,
        doing: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let command = marshalled(command, auth)?;
        let mut started = false;
        for _ in 0..ATTEMPTS {
            let response = self.transport.exchange(&command).map_err(Failure::Silent)?;
            match TpmResponse::cast(&response)?.rc()?.base() {
                TpmRcBase::Success => return Ok(response),
                // It is busy with itself, and asks to be asked again.
                TpmRcBase::Retry | TpmRcBase::Yielded | TpmRcBase::Testing => {
                    std::thread::sleep(PAUSE);
                }
                // Firmware and kernel do this on a machine; nobody does it for a bare swtpm.
                TpmRcBase::Initialize if !started => {
                    started = true;
                    self.start()?;
                }
                base => return Err(Failure::Refused(doing, base)),
            }
        }
        Err(Failure::Refused(doing, TpmRcBase::Retry))
    }

    /// `TPM2_Startup(CLEAR)`, Part 3 section 9.3.
    fn start(&mut self) -> Result<(), Failure> {
        let command = TpmStartupCommand {
            handles: [],
            startup_type: TpmSu::Clear,
        };
        let command = marshalled(&command, Auth::None)?;
        let response = self.transport.exchange(&command).map_err(Failure::Silent)?;
        match TpmResponse::cast(&response)?.rc()?.base() {
            // The latter says that it was started already.
            TpmRcBase::Success | TpmRcBase::Initialize => Ok(()),
            base => Err(Failure::Refused("start", base)),
        }
    }
}

/// How often, and how far apart, a TPM that is busy is asked: four seconds in all.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a command that we send.
const LONGEST: usize = 4096;

fn marshalled<C: TpmFrame>(command: &C, auth: Auth) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(vec![0; LONGEST]);
    let mut writer = TpmWriter::new(&mut bytes);
    let (tag, sessions) = match auth {
        Auth::None => (TpmSt::NoSessions, Vec::new()),
        Auth::Empty => (TpmSt::Sessions, vec![session(PASSWORD)]),
        Auth::Both(first, second) => (TpmSt::Sessions, vec![session(first), session(second)]),
    };
    tpm_marshal_command(command, tag, &sessions, &mut writer)?;
    let length = writer.len();
    bytes.truncate(length);
    Ok(bytes)
}

fn session(handle: u32) -> TpmsAuthCommand {
    let session_attributes = match handle {
        PASSWORD => TpmaSession::default(),
        // Whoever has opened it closes it, also when the command fails.
        _ => TpmaSession::CONTINUE_SESSION,
    };
    TpmsAuthCommand {
        session_handle: TpmHandle::from(handle),
        session_attributes,
        ..TpmsAuthCommand::default()
    }
}
