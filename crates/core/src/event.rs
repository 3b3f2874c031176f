//! What happened, to what, by whom, when.

use std::borrow::Cow;
use std::fmt;

use crate::{ApiTokenId, DeviceId, GroupId, TenantId, Timestamp};

/// Something that happened. It is written in the same transaction as the change it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What, such as `device-enrolled`.
    pub kind: Cow<'static, str>,
    /// To what.
    pub subject: Subject,
    /// What else is worth keeping: never a secret.
    pub detail: Vec<(Cow<'static, str>, String)>,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The tenant whose record it belongs to.
    pub tenant: TenantId,
    /// The group, where there is one.
    pub group: Option<GroupId>,
    /// The device, where there is one.
    pub device: Option<DeviceId>,
    /// What it was called at that time.
    pub name: String,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The holder of an API token.
    Operator(ApiTokenId),
    /// A device, by its own credential.
    Device(DeviceId),
    /// A device that was not known yet, by a provisioning secret.
    Newcomer,
    /// The server by itself: a policy, a time limit, the first start.
    Server,
}

impl Event {
    /// An event without detail.
    pub fn new(kind: &'static str, subject: Subject, actor: Actor, at: Timestamp) -> Self {
        Self {
            at,
            actor,
            kind: Cow::Borrowed(kind),
            subject,
            detail: Vec::new(),
        }
    }

    /// Adds one detail.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.detail.push((Cow::Borrowed(key), value.to_string()));
        self
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(token) => write!(f, "token:{token}"),
            Self::Device(device) => write!(f, "device:{device}"),
            Self::Newcomer => f.write_str("newcomer"),
            Self::Server => f.write_str("server"),
        }
    }
}

impl Actor {
    /// Reads the text form back.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("token", id)) => id.parse().ok().map(Self::Operator),
            Some(("device", id)) => id.parse().ok().map(Self::Device),
            None if text == "newcomer" => Some(Self::Newcomer),
            None if text == "server" => Some(Self::Server),
            _ => None,
        }
    }
}
