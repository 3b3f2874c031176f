use enlist_core::{Event, EventId, Name};
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn event(tenant: &str, id: EventId, event: &Event, group: Option<&Name>) -> wire::Event {
    let subject = &event.subject;
    wire::Event {
        event_id: uuid(id.as_bytes()),
        at: time(event.at),
        tenant: Some(tenant.to_owned()),
        kind: event.kind.to_string(),
        group: group.map(ToString::to_string),
        device: subject.device.map(|_| subject.name.clone()),
        device_id: subject.device.map(|id| uuid(id.as_bytes())),
        by: event.actor.to_string(),
        detail: event
            .detail
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone().into()))
            .collect(),
    }
}
