//! Newcomers are passed on to other groups, and groups change.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    Allocation, AttestationKind, ClientError, DevicesQuery, EnrollReply, Enrollment, EventsQuery,
    GroupChange, NewDevice, NewGroup, NewToken, Role, Share, WithoutProof, ZeroTouch,
    ZeroTouchChange,
};

fn allocate(rig: &Rig, allocation: Allocation) -> Result<enlist_wire::Group, ClientError> {
    let change = GroupChange {
        allocation: Some(allocation),
        ..GroupChange::default()
    };
    rig.admin().change_group("default", "intake", &change)
}

fn names(groups: &[&str]) -> Vec<String> {
    groups.iter().map(ToString::to_string).collect()
}

/// A group `intake` and three to pass newcomers on to.
fn plants(rig: &Rig, enrollment: Enrollment) -> String {
    for name in ["plant-a", "plant-b", "plant-c"] {
        rig.group(name, Enrollment::Known);
    }
    rig.group("intake", enrollment)
}

fn count(rig: &Rig, group: &str) -> usize {
    let query = DevicesQuery {
        limit: Some(1000),
        ..DevicesQuery::default()
    };
    rig.admin()
        .devices("default", group, &query)
        .unwrap()
        .items
        .len()
}

#[test]
fn by_hash_a_device_comes_to_the_same_group_whenever_it_enrolls() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Open);
    let groups = names(&["plant-a", "plant-b", "plant-c"]);
    allocate(&rig, Allocation::Hash { groups }).unwrap();
    let mut counts = BTreeMap::<String, usize>::new();
    for n in 0..40 {
        let mut device = rig.device("intake", &format!("press-{n}"), &secret);
        let first = device.enroll(&rig).unwrap();
        assert_eq!(device.enroll(&rig).unwrap(), first, "the recorded answer");
        *counts.entry(first.group).or_default() += 1;
    }
    assert_eq!(counts.len(), 3, "{counts:?}");
    assert_eq!(count(&rig, "intake"), 0);
    let events = rig
        .admin()
        .events("default", &EventsQuery::default())
        .unwrap();
    let enrolled = events
        .items
        .iter()
        .find(|event| event.kind == "device-enrolled")
        .unwrap();
    assert_eq!(enrolled.detail["asked_at"], "intake");
    assert_eq!(
        Some(enrolled.detail["allocated"].as_str().unwrap()),
        enrolled.group.as_deref()
    );
}

#[test]
fn by_label_a_created_device_goes_where_its_label_says() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Known);
    let by = |default: Option<&str>| Allocation::Label {
        key: "plant".to_owned(),
        default: default.map(ToOwned::to_owned),
    };
    allocate(&rig, by(None)).unwrap();
    for (name, plant) in [
        ("press-1", "plant-b"),
        ("press-2", "nowhere"),
        ("press-3", ""),
    ] {
        let new = NewDevice {
            name: name.to_owned(),
            labels: [("plant".to_owned(), plant.to_owned())].into(),
            hardware: None,
        };
        rig.admin()
            .create_device("default", "intake", &new)
            .unwrap();
    }
    let enroll = |name: &str| rig.device("intake", name, &secret).enroll(&rig);
    assert_eq!(enroll("press-1").unwrap().group, "plant-b");
    assert_eq!(refusal(enroll("press-2")), "allocation-failed");
    assert_eq!(refusal(enroll("press-3")), "allocation-failed");
    allocate(&rig, by(Some("plant-c"))).unwrap();
    assert_eq!(enroll("press-3").unwrap().group, "plant-c");
    assert_eq!(
        refusal(enroll("press-2")),
        "allocation-failed",
        "the label does say something"
    );
    assert_eq!(count(&rig, "intake"), 1);
}

#[test]
fn one_that_was_passed_on_and_deleted_stays_out_until_it_may_come_back() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Open);
    let hash = |group: &str| Allocation::Hash {
        groups: names(&[group]),
    };
    allocate(&rig, hash("plant-a")).unwrap();
    rig.enrolled_device("intake", "press-1", &secret);
    let admin = rig.admin();
    admin
        .delete_device("default", "plant-a", "press-1")
        .unwrap();
    // Wherever it would go now.
    allocate(&rig, hash("plant-b")).unwrap();
    let again = || rig.device("intake", "press-1", &secret).enroll(&rig);
    assert_eq!(refusal(again()), "tombstoned");
    admin
        .allow_reenroll("default", "plant-a", "press-1", &Default::default())
        .unwrap();
    assert_eq!(again().unwrap().group, "plant-a");
    assert_eq!(refusal(again()), "device-already-enrolled");
}

#[test]
fn of_two_that_come_at_once_under_one_name_one_is_passed_on() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Open);
    let groups = ["plant-a", "plant-b", "plant-c"];
    let to = names(&groups);
    allocate(&rig, Allocation::Hash { groups: to }).unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let enroll = || rig.device("intake", "press-1", &secret).enroll(&rig);
        let running: Vec<_> = (0..8).map(|_| scope.spawn(enroll)).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (inside, outside): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 1);
    for refused in outside {
        assert_eq!(refusal(refused), "device-already-enrolled");
    }
    let there: usize = groups.iter().map(|group| count(&rig, group)).sum();
    assert_eq!(there, 1);
}

#[test]
fn of_two_that_come_at_once_as_one_hardware_one_is_passed_on() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Open);
    let groups = ["plant-a", "plant-b", "plant-c"];
    let change = GroupChange {
        hardware_is_identity: Some(true),
        allocation: Some(Allocation::Hash {
            groups: names(&groups),
        }),
        ..GroupChange::default()
    };
    rig.admin()
        .change_group("default", "intake", &change)
        .unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let (rig, secret) = (&rig, &secret);
        let enroll = move |n: usize| {
            let mut device = rig.device("intake", &format!("press-{n}"), secret);
            device.hardware = Some(enlist_wire::Hardware {
                kind: enlist_wire::HardwareKind::Serial,
                value: "SN-1".to_owned(),
            });
            device.enroll(rig)
        };
        let running: Vec<_> = (0..8).map(|n| scope.spawn(move || enroll(n))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (inside, outside): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(inside.len(), 1);
    for refused in outside {
        assert_eq!(refusal(refused), "hardware-conflict");
    }
}

#[test]
fn the_least_filled_group_is_filled_first() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Open);
    for n in 0..4 {
        let new = NewDevice {
            name: format!("there-{n}"),
            labels: BTreeMap::new(),
            hardware: None,
        };
        rig.admin()
            .create_device("default", "plant-a", &new)
            .unwrap();
    }
    let groups = names(&["plant-a", "plant-b"]);
    allocate(&rig, Allocation::LeastFilled { groups }).unwrap();
    for n in 0..6 {
        rig.enrolled_device("intake", &format!("press-{n}"), &secret);
    }
    assert_eq!((count(&rig, "plant-a"), count(&rig, "plant-b")), (5, 5));
}

#[test]
fn with_approval_a_device_waits_where_it_is_passed_on_to() {
    let rig = Rig::new();
    let secret = plants(&rig, Enrollment::Approve);
    let groups = vec![Share {
        group: "plant-b".to_owned(),
        weight: 3,
    }];
    allocate(&rig, Allocation::Weighted { groups }).unwrap();
    let device = rig.device("intake", "press-1", &secret);
    for _ in 0..2 {
        let reply = rig.stranger().enroll(&device.request()).unwrap();
        assert!(matches!(reply, EnrollReply::Pending(_)));
    }
    let yes = enlist_wire::DeviceAction::default();
    rig.admin()
        .approve("default", "plant-b", "press-1", &yes)
        .unwrap();
    match rig.stranger().enroll(&device.request()).unwrap() {
        EnrollReply::Enrolled(enrolled) => assert_eq!(enrolled.group, "plant-b"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn allocations_that_lead_nowhere_are_refused() {
    let rig = Rig::new();
    plants(&rig, Enrollment::Open);
    let hash = |groups: &[&str]| Allocation::Hash {
        groups: names(groups),
    };
    for (allocation, slug) in [
        (hash(&[]), "invalid-request"),
        (hash(&["plant-a", "plant-a"]), "invalid-request"),
        (hash(&["intake"]), "invalid-request"),
        (hash(&["nowhere"]), "group-not-found"),
        (hash(&["No Name"]), "invalid-name"),
    ] {
        assert_eq!(
            refusal(allocate(&rig, allocation.clone())),
            slug,
            "{allocation:?}"
        );
    }
    let set = allocate(&rig, hash(&["plant-a"])).unwrap();
    assert_eq!(set.allocation, Some(hash(&["plant-a"])));
    let chain = GroupChange {
        allocation: Some(hash(&["plant-b"])),
        ..GroupChange::default()
    };
    let chained = rig.admin().change_group("default", "plant-a", &chain);
    assert_eq!(refusal(chained), "invalid-request");
    let back = GroupChange {
        allocation: Some(hash(&["intake"])),
        ..GroupChange::default()
    };
    assert_eq!(
        refusal(rig.admin().change_group("default", "plant-b", &back)),
        "invalid-request"
    );
    assert_eq!(allocate(&rig, Allocation::None).unwrap().allocation, None);
    // One group's token moves no devices into others.
    let token = NewToken {
        label: "intake".to_owned(),
        role: Role::Operator,
        group: Some("intake".to_owned()),
        expires_in_s: None,
    };
    let token = rig.admin().create_token("default", &token).unwrap();
    let narrow = rig.client_with_token(token.token.expose());
    let change = GroupChange {
        allocation: Some(hash(&["plant-a"])),
        ..GroupChange::default()
    };
    let refused = narrow.change_group("default", "intake", &change);
    assert_eq!(refusal(refused), "not-tenant-wide");
}

#[test]
fn a_group_changes_in_what_is_said_and_the_event_says_from_what_to_what() {
    let rig = Rig::new();
    let asked = NewGroup {
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Idevid, AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Refuse,
        }),
        ..NewGroup::named("gates")
    };
    rig.group_with(&asked);
    let before = rig.admin().group("default", "gates").unwrap();
    assert_eq!(
        before.zero_touch.as_ref().unwrap().accept,
        [AttestationKind::Tpm, AttestationKind::Idevid]
    );
    let change = GroupChange {
        enrollment: Some(Enrollment::Approve),
        lifetime_h: Some(24),
        zero_touch: Some(ZeroTouchChange {
            without_proof: Some(WithoutProof::Approve),
            ..ZeroTouchChange::default()
        }),
        ..GroupChange::default()
    };
    let change_it = |change: &GroupChange| rig.admin().change_group("default", "gates", change);
    let after = change_it(&change).unwrap();
    let mut expected = before;
    expected.enrollment = Enrollment::Approve;
    expected.profile.lifetime_h = 24;
    expected.zero_touch.as_mut().unwrap().without_proof = WithoutProof::Approve;
    assert_eq!(after, expected);
    change_it(&change).unwrap();
    let events = rig
        .admin()
        .events("default", &EventsQuery::default())
        .unwrap();
    let changed: Vec<_> = events
        .items
        .iter()
        .filter(|event| event.kind == "group-changed")
        .collect();
    assert_eq!(changed.len(), 1, "what changes nothing is no event");
    let told = changed[0].detail["changes"].as_str().unwrap();
    assert!(
        told.starts_with("enrollment from known to approve; lifetime from 168 h to 24 h; "),
        "{told}"
    );

    let nothing = GroupChange {
        zero_touch: Some(ZeroTouchChange {
            accept: Some(Vec::new()),
            manifest: Some(String::new()),
            without_proof: Some(WithoutProof::Refuse),
        }),
        ..GroupChange::default()
    };
    assert_eq!(change_it(&nothing).unwrap().zero_touch, None);
    for (change, slug) in [
        (
            GroupChange {
                lifetime_h: Some(9000),
                ..GroupChange::default()
            },
            "lifetime-not-allowed",
        ),
        (
            GroupChange {
                dns_suffix: Some("*.x".to_owned()),
                ..GroupChange::default()
            },
            "invalid-profile",
        ),
        (
            GroupChange {
                zero_touch: Some(ZeroTouchChange {
                    accept: Some(vec![AttestationKind::Tpm]),
                    manifest: Some("none".to_owned()),
                    without_proof: None,
                }),
                ..GroupChange::default()
            },
            "manifest-not-found",
        ),
    ] {
        assert_eq!(refusal(change_it(&change)), slug);
    }
}

#[test]
fn a_changed_policy_holds_for_who_comes_next_even_the_short_way() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    rig.enrolled_device("field", "press-1", &secret);
    rig.enrolled_device("field", "press-2", &secret);
    let change = GroupChange {
        enrollment: Some(Enrollment::Known),
        ..GroupChange::default()
    };
    rig.admin()
        .change_group("default", "field", &change)
        .unwrap();
    let late = rig.device("field", "press-3", &secret).enroll(&rig);
    assert_eq!(refusal(late), "unknown-device");
}
