//! Hooks: asked about each newcomer, and without their yes nobody gets in.

#![allow(clippy::unwrap_used)]

mod again;
mod crowds;
mod documented;
mod managing;
mod placing;
mod servers;
mod tempers;
mod yes_and_no;

use enlist_testkit::{Answer, FakeDevice, Receiver, Rig};
use enlist_wire::{ClientError, Enrolled, Event, EventsQuery, Hook, NewHook};
use serde_json::Value;

/// A hook's answer.
fn say(answer: impl Into<Value>) -> Answer {
    Answer::Body(200, answer.into().to_string().into_bytes())
}

fn hook(receiver: &Receiver) -> NewHook {
    NewHook {
        url: receiver.url(),
        ca: Some(receiver.ca_pem().to_owned()),
        timeout_ms: 2000,
    }
}

/// Has `group` ask `receiver`; the signing secret comes back.
fn ask(rig: &Rig, group: &str, receiver: &Receiver) -> String {
    let created = rig
        .admin()
        .create_hook("default", group, &hook(receiver))
        .unwrap();
    created.secret.expose().to_owned()
}

fn enroll(rig: &Rig, group: &str, name: &str, secret: &str) -> Result<Enrolled, ClientError> {
    rig.device(group, name, secret).enroll(rig)
}

/// What is on record of a refusal: nothing.
#[track_caller]
fn nobody_is_in(rig: &Rig, group: &str) {
    let query = enlist_wire::DevicesQuery::default();
    let devices = rig.admin().devices("default", group, &query).unwrap();
    assert_eq!(devices.items, [], "{group}");
}

/// The events of one kind, first things first.
fn events(rig: &Rig, kind: &str) -> Vec<Event> {
    let query = EventsQuery {
        limit: Some(1000),
        ..EventsQuery::default()
    };
    let events = rig.admin().events("default", &query).unwrap().items;
    events.into_iter().filter(|one| one.kind == kind).collect()
}

fn hooks(rig: &Rig) -> Vec<Hook> {
    rig.admin().hooks("default").unwrap().items
}

/// The same device with another key and token.
fn reborn(rig: &Rig, device: &FakeDevice) -> FakeDevice {
    let name = device.name.clone().unwrap();
    rig.device(&device.group, &name, &device.secret)
}
