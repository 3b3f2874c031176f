//! Whom the server tells what has happened.

use std::fmt;

use crate::{DeviceId, Event, FAR_AHEAD, GroupId, Name, TenantId, Timestamp, WebhookId};

/// A receiver of a tenant's events.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose events it is told.
    pub tenant: TenantId,
    /// What it is called, in its tenant.
    pub name: Name,
    /// Where it is told them.
    pub url: String,
    /// The CAs that it is believed by, PEM; `None` for those of the server's system.
    pub anchors: Option<String>,
    /// What requests to it are signed with, sealed.
    pub sealed_secret: Vec<u8>,
    /// The secret before, sealed, and until when requests are signed with it, too.
    pub secret_before: Option<(Vec<u8>, Timestamp)>,
    /// The kinds of events that it is told; `None` for all.
    pub kinds: Option<Vec<String>>,
    /// The one group whose events it is told; `None` for all.
    pub group: Option<GroupId>,
    /// The place in the tenant's chain up to which all events were told, put off or given up.
    pub told: u64,
    /// How the telling goes.
    pub pace: Pace,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How the telling goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// Rounds in a row in which nothing could be told.
    pub failures: u32,
    /// Since when nothing could be told.
    pub failing_since: Option<Timestamp>,
    /// Why, as the last round had it.
    pub error: Option<String>,
    /// Before when nothing is tried.
    pub next_at: Option<Timestamp>,
}

impl Pace {
    /// Whether nothing is to be tried at `now`. What a server has put down whose clock was wrong is not
    /// waited for.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> bool {
        self.next_at
            .is_some_and(|at| now < at && at <= now + FAR_AHEAD)
    }
}

/// An event that could not be told yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOff {
    /// Its place in the tenant's chain.
    pub seq: u64,
    /// The device that it is about. What follows about the same device waits.
    pub device: Option<DeviceId>,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is tried again; `None` while it waits behind another one.
    pub next_at: Option<Timestamp>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
}

impl Webhook {
    /// Whether it is to be told of this event.
    pub fn wants(&self, event: &Event) -> bool {
        let kind = |kinds: &Vec<String>| kinds.iter().any(|kind| *kind == event.kind);
        self.kinds.as_ref().is_none_or(kind)
            && self
                .group
                .is_none_or(|group| event.subject.group == Some(group))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold what only the receiver should know.
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("told", &self.told)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Subject, SystemClock, SystemRng};

    #[test]
    fn it_wants_what_it_was_made_for() {
        let group = GroupId::new(&SystemClock, &SystemRng);
        let now = Timestamp::from_secs(1);
        let tenant = TenantId::new(&SystemClock, &SystemRng);
        let webhook = |kinds: Option<&[&str]>, group| Webhook {
            id: WebhookId::new(&SystemClock, &SystemRng),
            tenant,
            name: "erp".parse().unwrap(),
            url: "https://erp.test/".to_owned(),
            anchors: None,
            sealed_secret: vec![1],
            secret_before: None,
            kinds: kinds.map(|kinds| kinds.iter().map(ToString::to_string).collect()),
            group,
            told: 0,
            pace: Pace::default(),
            created_at: now,
        };
        let event = |kind, group| {
            let subject = Subject {
                tenant,
                group,
                device: None,
                name: String::new(),
            };
            Event::new(kind, subject, Actor::Server, now)
        };
        let (enrolled, renewed) = ("device-enrolled", "certificate-renewed");
        assert!(webhook(None, None).wants(&event(enrolled, Some(group))));
        assert!(webhook(None, None).wants(&event(enrolled, None)));
        assert!(webhook(Some(&[enrolled]), None).wants(&event(enrolled, None)));
        assert!(!webhook(Some(&[enrolled]), None).wants(&event(renewed, None)));
        assert!(webhook(None, Some(group)).wants(&event(renewed, Some(group))));
        assert!(!webhook(None, Some(group)).wants(&event(renewed, None)));
        assert!(!format!("{:?}", webhook(None, None)).contains("erp.test"));
    }
}
