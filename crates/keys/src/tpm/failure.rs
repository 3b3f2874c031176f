//! What can go wrong with a TPM.

use std::io;

use tpm2_protocol::data::TpmRcBase;

use super::Tpm;
use crate::store::{KeyStoreError, TpmAddress};

/// A command that brought nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was not answered.
    Silent(io::Error),
    /// The answer can't be read, or the command not be written.
    Garbage(tpm2_protocol::TpmError),
    /// The TPM said no.
    Refused(&'static str, TpmRcBase),
}

impl From<tpm2_protocol::TpmError> for Failure {
    fn from(error: tpm2_protocol::TpmError) -> Self {
        Self::Garbage(error)
    }
}

impl Failure {
    /// Whether the TPM refused for this reason.
    pub fn is(&self, reason: TpmRcBase) -> bool {
        matches!(self, Self::Refused(_, base) if *base == reason)
    }

    /// Whether the TPM refused for want of room, which flushing makes.
    pub fn is_full(&self) -> bool {
        [
            TpmRcBase::ObjectMemory,
            TpmRcBase::ObjectHandles,
            TpmRcBase::SessionMemory,
            TpmRcBase::SessionHandles,
        ]
        .into_iter()
        .any(|reason| self.is(reason))
    }

    /// Whether the TPM has refused the kind of key, not to make one.
    pub fn is_about_the_template(&self) -> bool {
        [
            TpmRcBase::Value,
            TpmRcBase::Size,
            TpmRcBase::Scheme,
            TpmRcBase::Curve,
            TpmRcBase::KeySize,
            TpmRcBase::Attributes,
            TpmRcBase::Asymmetric,
            TpmRcBase::Symmetric,
            TpmRcBase::Hash,
        ]
        .into_iter()
        .any(|reason| self.is(reason))
    }

    /// Whether the TPM has refused what it will do by itself in a while.
    pub fn passes(&self) -> bool {
        let reasons = [
            TpmRcBase::Retry,
            TpmRcBase::Yielded,
            TpmRcBase::Testing,
            TpmRcBase::NvRate,
            TpmRcBase::NvUnavailable,
            TpmRcBase::Lockout,
        ];
        self.is_full() || reasons.into_iter().any(|reason| self.is(reason))
    }

    /// In a person's words.
    pub fn explain(self, address: &TpmAddress) -> KeyStoreError {
        let what = format!("the TPM at {}", Tpm::place(address));
        match self {
            Self::Silent(source) => KeyStoreError::Unreachable {
                what,
                remedy: remedy(address, &source).into(),
                source: source.into(),
            },
            Self::Garbage(source) => KeyStoreError::Unreachable {
                what,
                remedy: "what answers there is no TPM 2.0, or is out of step".into(),
                source: source.to_string().into(),
            },
            Self::Refused(_, base) if self.passes() => KeyStoreError::Unreachable {
                what,
                remedy: advice(base)
                    .unwrap_or("it is busy with itself, and is asked again later")
                    .into(),
                source: base.to_string().into(),
            },
            Self::Refused(doing, base) => KeyStoreError::Refused {
                what,
                doing,
                source: match advice(base) {
                    Some(advice) => format!("{base}: {advice}"),
                    None => base.to_string(),
                }
                .into(),
            },
        }
    }
}

fn remedy(address: &TpmAddress, error: &io::Error) -> &'static str {
    match (address, error.kind()) {
        (TpmAddress::Machine | TpmAddress::Device(_), io::ErrorKind::NotFound) => {
            "turn the TPM on in the firmware's setup, load its driver, or name its device"
        }
        (TpmAddress::Machine | TpmAddress::Device(_), io::ErrorKind::PermissionDenied) => {
            "let this program's user into the group that owns the device (`tss`)"
        }
        (TpmAddress::Machine | TpmAddress::Device(_), io::ErrorKind::ResourceBusy) => {
            "another program holds it: use the kernel's resource manager, /dev/tpmrm0"
        }
        (TpmAddress::Machine | TpmAddress::Device(_), _) => "see the kernel's log",
        (_, io::ErrorKind::PermissionDenied) => "let this program's user open the socket",
        _ => {
            "start swtpm there (`swtpm socket --tpm2 --flags startup-clear`), or end whatever holds it"
        }
    }
}

fn advice(base: TpmRcBase) -> Option<&'static str> {
    Some(match base {
        TpmRcBase::AuthFail | TpmRcBase::BadAuth | TpmRcBase::AuthMissing => {
            "its owner or endorsement hierarchy has a password; keys are made and attested under \
             hierarchies without one"
        }
        TpmRcBase::Lockout => {
            "it is locked after wrong passwords; wait, or `tpm2_dictionarylockout --clear-lockout`"
        }
        TpmRcBase::Hierarchy | TpmRcBase::Disabled => {
            "its owner or endorsement hierarchy is turned off; turn it on in the firmware's setup"
        }
        TpmRcBase::NvSpace => {
            "its memory is full; remove persistent objects with tpm2_evictcontrol"
        }
        TpmRcBase::ObjectMemory | TpmRcBase::ObjectHandles => {
            "other programs left objects in it; `tpm2_flushcontext -t`, or use /dev/tpmrm0"
        }
        TpmRcBase::SessionMemory | TpmRcBase::SessionHandles => {
            "other programs left sessions in it; `tpm2_flushcontext -l`, or use /dev/tpmrm0"
        }
        TpmRcBase::Integrity => {
            "what is to be opened was made for another TPM, or before this one was cleared"
        }
        TpmRcBase::Failure => "it failed its self-test",
        _ => return None,
    })
}
