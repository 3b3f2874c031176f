//! An event's place in its tenant's chain: a hash over itself and all before it.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Digest, Event, EventId, GroupId, TenantId, Timestamp};

/// An event as it is on record: every word of it, and nothing else. This is what its seal covers.
///
/// Actor and detail are the texts on record, whether they make sense or not: what was tampered with has
/// to be shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRecord {
    /// Its id.
    pub event_id: EventId,
    /// The tenant in whose record it is.
    pub tenant_id: TenantId,
    /// When it happened.
    pub at: Timestamp,
    /// By whom, in the text form of [`crate::Actor`].
    pub actor: String,
    /// What happened.
    pub kind: String,
    /// To which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// To which device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// What that was called then.
    pub name: String,
    /// What else was kept, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<(String, String)>,
}

/// A place in the chain: so many events, and the hash of the last one and all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The number of the event among those of its tenant, from 1, without a gap.
    pub seq: u64,
    /// The hash.
    pub hash: Digest,
}

/// What is hashed before all else, so that the hash of an event is no other hash, and of this version of
/// the encoding.
const LABEL: &[u8; 16] = b"enlist event v1\0";

impl EventRecord {
    /// An event as it is recorded under `id`.
    pub fn new(id: EventId, event: &Event) -> Self {
        let subject = &event.subject;
        Self {
            event_id: id,
            tenant_id: subject.tenant,
            at: event.at,
            actor: event.actor.to_string(),
            kind: event.kind.to_string(),
            group_id: subject.group,
            device_id: subject.device,
            name: subject.name.clone(),
            detail: event
                .detail
                .iter()
                .map(|(key, value)| (key.to_string(), value.clone()))
                .collect(),
        }
    }

    /// The event as bytes, one way and no other: its fields one after another, each as four bytes of
    /// length (big-endian) and that many bytes of UTF-8.
    ///
    /// The fields are: event id, tenant id (hyphenated, lowercase), time (milliseconds since 1970 in
    /// decimal), actor, kind, group id, device id (empty where there is none), name, and then key and
    /// value of each detail in its order.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        self.write_canonical(&mut bytes);
        bytes
    }

    fn write_canonical(&self, bytes: &mut Vec<u8>) {
        let mut field = |text: &str| {
            // No text on record comes near this bound.
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        };
        field(&self.event_id.to_string());
        field(&self.tenant_id.to_string());
        field(&self.at.as_millis().to_string());
        field(&self.actor);
        field(&self.kind);
        field(&self.group_id.map_or_else(String::new, |id| id.to_string()));
        field(&self.device_id.map_or_else(String::new, |id| id.to_string()));
        field(&self.name);
        for (key, value) in &self.detail {
            field(key);
            field(value);
        }
    }
}

impl Seal {
    /// Before the first event: no events, and 32 zero bytes.
    pub const START: Self = Self {
        seq: 0,
        hash: Digest::from_bytes([0; 32]),
    };

    /// The place of the event that follows this one:
    /// SHA-256 of `enlist event v1`, a zero byte, this hash, and the event's canonical bytes.
    #[must_use]
    pub fn next(&self, event: &EventRecord) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(LABEL);
        bytes.extend_from_slice(self.hash.as_bytes());
        event.write_canonical(&mut bytes);
        Self {
            seq: self.seq.saturating_add(1),
            hash: Digest::of(&bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Actor, Subject};

    fn record() -> EventRecord {
        let tenant = TenantId::from_bytes([1; 16]);
        let subject = Subject {
            tenant,
            group: None,
            device: Some(DeviceId::from_bytes([2; 16])),
            name: "lamp-1".to_owned(),
        };
        let event = Event::new(
            "device-enrolled",
            subject,
            Actor::Newcomer,
            Timestamp::from_millis(5),
        );
        EventRecord::new(EventId::from_bytes([3; 16]), &event.with("key", "value"))
    }

    #[test]
    fn canonical_bytes_are_lengths_and_texts_in_order() {
        let texts = [
            "03030303-0303-0303-0303-030303030303",
            "01010101-0101-0101-0101-010101010101",
            "5",
            "newcomer",
            "device-enrolled",
            "",
            "02020202-0202-0202-0202-020202020202",
            "lamp-1",
            "key",
            "value",
        ];
        let expected: Vec<u8> = texts
            .iter()
            .flat_map(|text| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat())
            .collect();
        assert_eq!(record().canonical(), expected);
        let first = Seal::START.next(&record());
        assert_eq!(first.seq, 1);
        let hashed = [&b"enlist event v1\0"[..], &[0; 32], &expected].concat();
        assert_eq!(first.hash, Digest::of(&hashed));
    }

    fn any_record() -> impl Strategy<Value = EventRecord> {
        let detail = prop::collection::vec((".{0,3}", ".{0,3}"), 0..3);
        (any::<[u8; 2]>(), -2_i64..3, ".{0,3}", ".{0,3}", detail).prop_map(
            |([group, device], at, actor, name, detail)| EventRecord {
                at: Timestamp::from_millis(at),
                actor,
                group_id: (group % 2 > 0).then(|| GroupId::from_bytes([group; 16])),
                device_id: (device % 2 > 0).then(|| DeviceId::from_bytes([device; 16])),
                name,
                detail,
                ..record()
            },
        )
    }

    proptest! {
        #[test]
        fn two_events_never_have_the_same_bytes(one in any_record(), two in any_record()) {
            prop_assert_eq!(one == two, one.canonical() == two.canonical());
        }
    }
}
