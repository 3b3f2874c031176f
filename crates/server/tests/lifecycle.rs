//! Out of service and back, and what may never come back unasked.

#![allow(clippy::unwrap_used)]

use enlist_testkit::{Rig, refusal};
use enlist_wire::{DeviceAction, DeviceState, Enrollment, EventsQuery, NewDevice};

fn act() -> DeviceAction {
    DeviceAction::default()
}

fn give_up() -> DeviceAction {
    DeviceAction {
        give_up: true,
        ..act()
    }
}

fn named(name: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        labels: Default::default(),
        hardware: None,
    }
}

#[test]
fn suspended_device_cannot_renew_or_enroll() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    assert_eq!(refusal(device.renew(&rig)), "device-suspended");
    assert_eq!(refusal(device.renew_by_token(&rig)), "device-suspended");
    assert_eq!(refusal(device.enroll(&rig)), "device-suspended");
    rig.admin()
        .resume("default", "pumps", "pump-1", &act())
        .unwrap();
    device.renew(&rig).unwrap();
}

#[test]
fn a_deleted_device_leaves_a_tombstone_for_name_and_key() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    assert_eq!(refusal(device.enroll(&rig)), "tombstoned");
    let mut renamed = device.clone();
    renamed.name = Some("pump-2".to_owned());
    assert_eq!(
        refusal(renamed.enroll(&rig)),
        "tombstoned",
        "the key is known"
    );
    let added = rig
        .admin()
        .create_device("default", "pumps", &named("pump-1"));
    assert_eq!(refusal(added), "tombstoned");
    assert_eq!(refusal(device.renew(&rig)), "certificate-revoked");
    let certificates = rig.admin().certificates("default", &Default::default());
    assert_eq!(
        certificates.unwrap().items.len(),
        1,
        "its certificates stay on record"
    );

    rig.admin()
        .allow_reenroll("default", "pumps", "pump-1", &act())
        .unwrap();
    device.enroll(&rig).unwrap();
    // Both of the name are on record under it.
    let of_both = EventsQuery {
        group: Some("pumps".to_owned()),
        device: Some("pump-1".to_owned()),
        kind: Some("device-enrolled".to_owned()),
        ..EventsQuery::default()
    };
    let admin = rig.admin();
    let enrolled = || admin.events("default", &of_both).unwrap().items;
    let both = enrolled();
    assert_eq!(both.len(), 2);
    assert_ne!(both[0].device_id, both[1].device_id);
    admin.delete_device("default", "pumps", "pump-1").unwrap();
    assert_eq!(enrolled(), both, "also when none of them is left");
}

#[test]
fn a_deleted_device_of_a_known_group_is_told_that_it_is_not_just_unknown() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Known);
    rig.admin()
        .create_device("default", "pumps", &named("pump-1"))
        .unwrap();
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    assert_eq!(refusal(device.enroll(&rig)), "tombstoned");
}

#[test]
fn a_device_that_never_enrolled_leaves_nothing() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    rig.admin()
        .create_device("default", "pumps", &named("pump-1"))
        .unwrap();
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    rig.admin()
        .create_device("default", "pumps", &named("pump-1"))
        .unwrap();
}

#[test]
fn a_decommissioning_device_may_only_poll_and_is_let_back_once() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin()
        .decommission("default", "pumps", "pump-1", &act())
        .unwrap();
    let told = device.client(&rig).device_self().unwrap();
    assert_eq!(told.state, DeviceState::Decommissioning);
    assert_eq!(refusal(device.renew(&rig)), "device-decommissioning");

    rig.admin()
        .decommission("default", "pumps", "pump-1", &give_up())
        .unwrap();
    assert_eq!(
        refusal(device.client(&rig).device_self()),
        "device-decommissioned"
    );
    assert_eq!(refusal(device.enroll(&rig)), "device-decommissioned");
    let deleted = rig.admin().delete_device("default", "pumps", "pump-1");
    assert_eq!(refusal(deleted), "invalid-transition");

    rig.admin()
        .allow_reenroll("default", "pumps", "pump-1", &act())
        .unwrap();
    let again = rig
        .admin()
        .allow_reenroll("default", "pumps", "pump-1", &act());
    assert_eq!(refusal(again), "invalid-transition");
    device.enroll(&rig).unwrap();
}

#[test]
fn a_suspended_device_on_its_way_out_still_learns_of_it() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    rig.admin()
        .decommission("default", "pumps", "pump-1", &act())
        .unwrap();
    let told = device.client(&rig).device_self().unwrap();
    assert_eq!(told.state, DeviceState::Decommissioning);
}

#[test]
fn a_transition_out_of_place_is_refused_and_says_where_the_device_is() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    rig.admin()
        .create_device("default", "pumps", &named("pump-1"))
        .unwrap();
    let refused = rig
        .admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(problem.slug(), "invalid-transition");
    assert_eq!(problem.detail, "can't suspend `pump-1`: it is created");
}

#[test]
fn what_happened_to_a_device_is_on_record_in_order() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    device.renew(&rig).unwrap();
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    let query = EventsQuery {
        group: Some("pumps".to_owned()),
        ..Default::default()
    };
    let events = rig.admin().events("default", &query).unwrap().items;
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "group-created",
            "secret-created",
            "device-enrolled",
            "certificate-renewed",
            "device-suspended",
            "device-deprovisioned",
            "device-deleted",
        ]
    );
    assert!(events[3].by.starts_with("device:"));
    assert!(events[4].by.starts_with("token:"));
}

#[test]
fn the_reason_of_each_step_is_on_record() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret);
    let (admin, why) = (rig.admin(), |words: &str| DeviceAction {
        reason: Some(words.to_owned()),
        ..act()
    });
    let device = ("default", "pumps", "pump-1");
    admin
        .suspend(device.0, device.1, device.2, &why("stolen\u{7}"))
        .unwrap();
    admin
        .resume(device.0, device.1, device.2, &why("found"))
        .unwrap();
    admin
        .decommission(device.0, device.1, device.2, &why("sold"))
        .unwrap();
    let gone = DeviceAction {
        give_up: true,
        ..why("never came back")
    };
    admin
        .decommission(device.0, device.1, device.2, &gone)
        .unwrap();
    admin
        .allow_reenroll(device.0, device.1, device.2, &why("bought back"))
        .unwrap();
    let events = serde_json::to_string(&admin.events("default", &Default::default()).unwrap());
    let events = events.unwrap();
    for words in ["stolen ", "found", "sold", "never came back", "bought back"] {
        assert!(events.contains(words), "{words}: {events}");
    }
}
