use enlist_core::{EventRecord, Name};
use enlist_ops::EventView;
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn event(tenant: &str, view: &EventView) -> wire::Event {
    wire::Event {
        by_label: view.by.clone(),
        unreadable: !view.is_readable,
        ..told(tenant, &view.event, view.group.as_ref())
    }
}

/// An event as it is told to those who know no tokens.
pub(super) fn told(tenant: &str, event: &EventRecord, group: Option<&Name>) -> wire::Event {
    wire::Event {
        event_id: uuid(event.event_id.as_bytes()),
        at: time(event.at),
        tenant: Some(tenant.to_owned()),
        kind: event.kind.clone(),
        group: group.map(ToString::to_string),
        device: event.device_id.map(|_| event.name.clone()),
        device_id: event.device_id.map(|id| uuid(id.as_bytes())),
        by: event.actor.clone(),
        by_label: None,
        detail: event
            .detail
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect(),
        unreadable: false,
    }
}
