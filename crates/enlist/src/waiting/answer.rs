//! What a person says to a device that waits, and what came of it.

use enlist_wire::{Client, ClientError, Device, DeviceAction};
use serde::Serialize;

use super::named;
use crate::output::Row;
use crate::say::say;
use crate::text::{shown, word};

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Let it in.
    Approve,
    /// Turn it away.
    Reject,
}

impl Word {
    /// Says it to one device.
    pub fn send(
        self,
        client: &Client,
        (tenant, group, name): (&str, &str, &str),
        action: &DeviceAction,
    ) -> Result<Device, ClientError> {
        match self {
            Self::Approve => client.approve(tenant, group, name, action),
            Self::Reject => client.reject(tenant, group, name, action),
        }
    }

    /// Tells a person what came of it.
    pub fn tell(self, device: &Device) {
        let name = shown(&device.name);
        match self {
            Self::Approve => say!("Device `{name}` is {}.", word(&device.state)),
            Self::Reject => say!("Device `{name}` is rejected."),
        }
    }

    pub(super) fn asks(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Reject => "Reject",
        }
    }

    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }
}

/// What came of it for one of many devices.
#[derive(Serialize)]
pub(super) struct Answered {
    group: String,
    name: String,
    /// `approved`, `rejected` or `refused`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Answered {
    /// What the server said of one; no answer at all is the end of it all.
    pub(super) fn new(
        word: Word,
        group: String,
        name: String,
        sent: Result<Device, ClientError>,
    ) -> Result<Self, ClientError> {
        let (outcome, problem) = match sent {
            Ok(_) => (word.done(), None),
            Err(ClientError::Problem(problem)) => ("refused", Some(problem)),
            Err(error) => return Err(error),
        };
        Ok(Self {
            group,
            name,
            outcome,
            slug: problem.as_ref().map(|problem| problem.slug().to_owned()),
            detail: problem.map(|problem| problem.detail),
        })
    }

    pub(super) fn is_done(&self) -> bool {
        self.slug.is_none()
    }

    pub(super) fn tell(&self) {
        let device = named(&self.group, &self.name);
        match (&self.detail, &self.slug) {
            (Some(detail), Some(slug)) => say!("Device {device}: {} ({slug}).", shown(detail)),
            _ => say!("Device {device} is {}.", self.outcome),
        }
    }
}

impl Row for Answered {
    const COLUMNS: &'static [&'static str] = &["group", "name", "outcome", "problem", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.group.clone(),
            self.name.clone(),
            self.outcome.to_owned(),
            self.slug.clone().unwrap_or_default(),
            self.detail.clone().unwrap_or_default(),
        ]
    }
}
