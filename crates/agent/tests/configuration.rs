//! What a device takes for its configuration, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "common/statements.rs"]
mod statements;

use enlist_core::DeviceId;
use enlist_signed::Target;
use enlist_wire::{ConfigurationNumbers as Numbers, ConfigurationOffer};
use serde_json::json;
use statements::*;

#[test]
fn the_device_wins_over_the_group_and_the_group_over_the_defaults() {
    let (us, mut device) = rig();
    let all = both(
        us.schema(3, 1, schema_1()),
        both(
            us.group(5, json!({"speed": 20, "label": "a"})),
            us.device(2, json!({"speed": 30})),
        ),
    );
    let keeper = device.takes(&all);
    assert_eq!(
        device.config(),
        json!({"speed": 30, "label": "a", "password": ""})
    );
    let report = keeper.report().unwrap();
    let numbers = Numbers {
        schema: 3,
        group: 5,
        device: 2,
    };
    assert_eq!((report.in_force, keeper.numbers()), (numbers, numbers));
    assert_eq!(
        (
            report.because.as_str(),
            report.schema_version,
            report.refused
        ),
        ("applied", 1, None)
    );
    assert_eq!(report.digest.len(), 64);
    assert_eq!(device.asked.len(), 1, "the hook is asked once");
    // After a restart it is the same, and nothing is left to do.
    let mut again = device.start();
    assert_eq!(again.report(), keeper.report());
    assert!(again.findings().is_empty() && !again.is_busy());
    device.rest(&mut again);
    assert_eq!(device.asked.len(), 1);
}

fn rig() -> (Signatory, Device) {
    let us = Signatory::new();
    let device = Device::new(&us);
    (us, device)
}

/// The offer is refused for this reason, and everything stays as it was.
#[track_caller]
fn refused(device: &mut Device, offer: &ConfigurationOffer, slug: &str) {
    let (before, asked) = (device.config(), device.asked.len());
    let keeper = device.takes(offer);
    assert_eq!(
        reason(&keeper).as_deref(),
        Some(slug),
        "{:?}",
        keeper.report()
    );
    assert_eq!(device.config(), before);
    assert_eq!(device.asked.len(), asked, "the hook is not asked");
    assert!(device.told(slug));
    // It is on record, and told once.
    device.notes.clear();
    let again = device.takes(offer);
    assert_eq!(reason(&again).as_deref(), Some(slug));
    assert!(device.notes.is_empty(), "{:?}", device.notes);
}

#[test]
fn what_is_not_for_this_device_or_not_signed_is_refused() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let stranger = Signatory::new();
    refused(
        &mut device,
        &stranger.group(9, json!({"speed": 1})),
        "not-signed",
    );
    // What nobody believed says nothing about numbers.
    assert_eq!(device.start().numbers().group, 1);

    let mut other = layer(Target::Group, 9, 1, json!({}));
    other.tenant = "other".parse().unwrap();
    refused(&mut device, &us.layered(&other), "another-tenant");
    let mut other = layer(Target::Group, 9, 1, json!({}));
    other.group = "others".parse().unwrap();
    refused(&mut device, &us.layered(&other), "another-group");
    let target = Target::Device(DeviceId::from_bytes([8; 16]));
    let other = layer(target, 9, 1, json!({}));
    refused(&mut device, &us.layered(&other), "another-device");
    // The group's values in the place of the device's.
    let moved = ConfigurationOffer {
        device: us.group(8, json!({})).group,
        ..ConfigurationOffer::default()
    };
    refused(&mut device, &moved, "another-device");
    let mut garbage = us.group(9, json!({}));
    garbage.group = Some(enlist_wire::Envelope(json!({"payload": 1})));
    refused(&mut device, &garbage, "malformed");
    let swapped = ConfigurationOffer {
        schema: us.group(9, json!({})).group,
        ..ConfigurationOffer::default()
    };
    refused(&mut device, &swapped, "malformed");
}

#[test]
fn one_statement_that_is_not_believed_spoils_the_offer() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let offer = both(
        us.group(2, json!({"speed": 1})),
        Signatory::new().device(1, json!({})),
    );
    refused(&mut device, &offer, "not-signed");
    // The good one is still to be had.
    device.takes(&us.group(2, json!({"speed": 1})));
    assert_eq!(device.config()["speed"], 1);
}

#[test]
fn an_old_statement_played_again_is_refused_and_the_same_one_is_nothing_new() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let old = us.group(1, json!({"speed": 20, "password": "hunter2"}));
    device.takes(&us.group(7, json!({"speed": 70})));
    refused(&mut device, &old, "replayed");
    let (asked, before) = (device.asked.len(), device.disk.clone());
    let mut fresh = before.clone();
    fresh.writes = 0;
    device.disk = fresh;
    device.takes(&us.group(7, json!({"speed": 70})));
    assert_eq!((device.asked.len(), device.disk.writes), (asked, 0));
    assert_eq!(device.config()["speed"], 70);
}

#[test]
fn without_keys_no_remote_configuration_is_taken_and_it_is_said_once() {
    let us = Signatory::new();
    let mut device = Device::new(&us);
    device.keys.clear();
    let keeper = device.takes(&us.schema(1, 1, schema_1()));
    assert_eq!(reason(&keeper).as_deref(), Some("no-keys"));
    assert_eq!(keeper.report().unwrap().because, "none");
    assert_eq!(device.disk.config(), None);
    device.notes.clear();
    device.takes(&us.schema(1, 1, schema_1()));
    assert!(device.notes.is_empty());
    // The operator gives the device a key: the same offer counts now.
    device.keys = vec![us.public()];
    device.takes(&us.schema(1, 1, schema_1()));
    assert_eq!(device.config()["speed"], 10);
}

#[test]
fn what_does_not_fit_its_schema_is_refused_without_telling_a_secret() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    refused(
        &mut device,
        &us.group(2, json!({"speed": 101})),
        "layer-invalid",
    );
    refused(
        &mut device,
        &us.group(3, json!({"sped": 1})),
        "layer-invalid",
    );
    refused(
        &mut device,
        &us.group(5, json!({"password": ["hunter3"]})),
        "layer-invalid",
    );
    let told = format!(
        "{:?}{:?}{}",
        device.notes,
        device.start().report(),
        device.log()
    );
    assert!(!told.contains("hunter"), "{told}");
    let keeper = device.takes(&us.group(6, json!({"speed": 6})));
    assert_eq!(
        (device.config()["speed"].clone(), reason(&keeper)),
        (json!(6), None)
    );
}

#[cfg(feature = "full-schema")]
#[test]
fn what_the_subset_lets_through_is_checked_against_the_whole() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    refused(&mut device, &us.group(4, json!({"label": "A"})), "invalid");
    let mut odd = schema_1();
    odd["properties"]["label"]["default"] = json!("UPPER");
    refused(&mut device, &us.schema(3, 1, odd), "schema-invalid");
}

#[test]
fn a_schema_that_refuses_its_own_defaults_is_refused() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let mut odd = schema_1();
    odd["properties"]["speed"]["default"] = json!(101);
    refused(&mut device, &us.schema(2, 1, odd), "schema-invalid");
    let mut odd = schema_1();
    odd["properties"]["new"] = json!({"type": "string"});
    refused(&mut device, &us.schema(4, 1, odd), "schema-invalid");
}

#[test]
fn values_before_any_schema_wait_for_it() {
    let (us, mut device) = rig();
    let keeper = device.takes(&us.group(1, json!({"speed": 5})));
    assert_eq!(reason(&keeper).as_deref(), Some("no-schema"));
    assert_eq!(device.disk.config(), None);
    device.takes(&us.schema(1, 1, schema_1()));
    assert_eq!(device.config()["speed"], 5);
}

#[test]
fn values_that_no_step_leads_on_are_refused() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    refused(
        &mut device,
        &us.schema(2, 3, schema_2()),
        "migration-failed",
    );
    let zero = layer(Target::Group, 2, 0, json!({}));
    let schema = us.schema(3, 1, schema_1());
    refused(
        &mut device,
        &both(schema, us.layered(&zero)),
        "migration-failed",
    );
}
