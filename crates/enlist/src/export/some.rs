//! Lines of an export, for tests.

use enlist_core::{Digest, EventId, EventRecord, TenantId, Timestamp};
use enlist_signed::audit::{Line, Sealed};

/// A sealed event at this place.
pub fn event(seq: u64) -> Vec<u8> {
    let event = EventRecord {
        event_id: EventId::from_bytes([1; 16]),
        tenant_id: TenantId::from_bytes([2; 16]),
        at: Timestamp::from_millis(0),
        actor: "server".to_owned(),
        kind: "tried".to_owned(),
        group_id: None,
        device_id: None,
        name: String::new(),
        detail: Vec::new(),
    };
    let hash = Digest::of(&seq.to_be_bytes());
    Line::Sealed(Sealed { seq, hash, event }).to_bytes()
}
