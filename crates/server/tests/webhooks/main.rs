//! Webhooks: told at least once, in order for each device, whatever the receiver is like.

#![allow(clippy::unwrap_used)]

mod going;
mod managing;
mod servers;
mod signatures;
mod telling;
mod tempers;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use enlist_testkit::{Received, Receiver, Rig};
use enlist_wire::{
    DeviceAction, Enrollment, EventsQuery, ExportQuery, NewWebhook, Webhook, WebhookEvent,
    WebhookMessage,
};

/// Adds a webhook to tenant `default`; its secret comes back.
fn tell(rig: &Rig, name: &str, receiver: &Receiver) -> String {
    tell_of(rig, &webhook(name, receiver))
}

fn tell_of(rig: &Rig, new: &NewWebhook) -> String {
    // What happened before and has no place in the chain yet would be told, too. An export gives it one.
    let admin = rig.admin();
    admin
        .export_events("default", &ExportQuery::default())
        .unwrap();
    let created = admin.create_webhook("default", new).unwrap();
    created.secret.expose().to_owned()
}

fn webhook(name: &str, receiver: &Receiver) -> NewWebhook {
    NewWebhook {
        name: name.to_owned(),
        url: receiver.url(),
        ca: Some(receiver.ca_pem().to_owned()),
        group: None,
        kinds: None,
    }
}

/// How it stands with a webhook.
fn standing(rig: &Rig, name: &str) -> Webhook {
    let webhooks = rig.admin().webhooks("default").unwrap().items;
    webhooks.into_iter().find(|one| one.name == name).unwrap()
}

/// Makes a group of devices that have been created, enrolled, suspended and resumed.
fn some_devices(rig: &Rig, count: usize) {
    let secret = rig.group("pumps", Enrollment::Open);
    for n in 0..count {
        a_device(rig, &secret, &format!("pump-{n}"));
    }
}

fn a_device(rig: &Rig, secret: &str, name: &str) {
    let (admin, action) = (rig.admin(), DeviceAction::default());
    rig.enrolled_device("pumps", name, secret);
    admin.suspend("default", "pumps", name, &action).unwrap();
    admin.resume("default", "pumps", name, &action).unwrap();
}

/// Waits, with the server's clock going, until something is so.
#[track_caller]
fn eventually(rig: &Rig, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
        rig.clock.advance(Duration::from_millis(700));
    }
}

fn read(received: &Received) -> WebhookMessage<WebhookEvent> {
    serde_json::from_slice(&received.body).unwrap()
}

/// The kinds of events about each device, as they were taken for the first time.
fn by_device(received: &[Received]) -> HashMap<String, Vec<String>> {
    let mut seen = std::collections::HashSet::new();
    let mut kinds: HashMap<String, Vec<String>> = HashMap::new();
    for one in received {
        let message = read(one);
        if seen.insert(one.id.clone())
            && let Some(device) = message.data.event.device
        {
            kinds.entry(device).or_default().push(message.kind);
        }
    }
    kinds
}

/// The ids of all events there are, in the form that receivers get.
fn events_so_far(rig: &Rig) -> Vec<String> {
    let query = EventsQuery {
        limit: Some(1000),
        ..EventsQuery::default()
    };
    let events = rig.admin().events("default", &query).unwrap();
    assert_eq!(events.next, None);
    let ids = events.items.iter().map(|event| event.event_id.to_string());
    ids.collect()
}

/// The ids of the events that are not among those `before`.
fn events_since(rig: &Rig, before: &[String]) -> Vec<String> {
    let mut events = events_so_far(rig);
    events.retain(|event| !before.contains(event));
    events
}

/// Whether each of these events has come.
fn has_all(receiver: &Receiver, events: &[String]) -> bool {
    let received = receiver.received();
    events
        .iter()
        .all(|event| received.iter().any(|one| one.id == *event))
}
