use enlist_core::{Event, EventId, Name};
use enlist_ops::EventView;
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn event(tenant: &str, view: &EventView) -> wire::Event {
    wire::Event {
        by_label: view.by.clone(),
        ..told(tenant, view.id, &view.event, view.group.as_ref())
    }
}

/// An event as it is told to those who know no tokens.
pub(super) fn told(tenant: &str, id: EventId, event: &Event, group: Option<&Name>) -> wire::Event {
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
        by_label: None,
        detail: event
            .detail
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone().into()))
            .collect(),
    }
}
