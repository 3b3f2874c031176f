//! What a hook is asked.

use base64ct::{Base64, Encoding};
use enlist_core::{HardwareIdentity, Labels};
use serde::Serialize;

/// The body of a request to a hook.
#[derive(Debug, Serialize)]
pub(crate) struct Question<'a> {
    /// Always `enrollment`, or `test`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) tenant: &'a str,
    /// The group that it asks at.
    pub(crate) group: &'a str,
    /// The name that it says, if it says one.
    pub(crate) name: Option<&'a str>,
    /// The hardware that it claims to be.
    pub(crate) hardware: Option<Hardware<'a>>,
    /// The hardware that it has proved to be.
    pub(crate) attested: Option<Hardware<'a>>,
    /// SHA-256 of its key's `SubjectPublicKeyInfo`, hexadecimal.
    pub(crate) key: String,
    /// PKCS#10 request over its key, DER, base64.
    pub(crate) csr: String,
    /// Where it calls from.
    pub(crate) source: String,
    /// The label of the secret that it brings, if it brings one.
    pub(crate) secret: Option<&'a str>,
    /// The device as an operator has created it, where that is so.
    pub(crate) created: Option<Created<'a>>,
    /// Whether a person is going to be asked, too.
    pub(crate) needs_approval: bool,
}

/// Hardware as it is told.
#[derive(Debug, Serialize)]
pub(crate) struct Hardware<'a> {
    kind: &'static str,
    value: &'a str,
}

/// A device that is there already.
#[derive(Debug, Serialize)]
pub(crate) struct Created<'a> {
    pub(crate) device_id: String,
    pub(crate) name: &'a str,
    pub(crate) labels: &'a Labels,
}

impl<'a> Hardware<'a> {
    pub(crate) fn of(identity: &'a HardwareIdentity) -> Self {
        Self {
            kind: identity.kind().as_str(),
            value: identity.value(),
        }
    }
}

impl Question<'_> {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts can be written as JSON")
    }
}

/// Bytes as they are told.
pub(crate) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
