//! Which devices.

use std::time::Duration;

use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    BulkResult, Enrollment, Hardware, HardwareKind, ManifestEntriesQuery, NewDevice, NewSecret,
    RotateSecret,
};

use crate::{claiming, import, on, secret, serials};

#[test]
fn an_entry_goes_with_its_device_and_a_tombstone_still_holds() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    serials(&rig, "batch", ["SN-1".to_owned(), "SN-2".to_owned()]);
    let secret = secret(&rig, "pumps", &on("batch"));
    let enroll = |name: &str, serial: &str| {
        let mut device = claiming(&rig, name, &secret, serial);
        device.enroll(&rig).map(|_| device)
    };
    let mut first = enroll("a", "SN-1").unwrap();
    first.enroll(&rig).unwrap();
    assert_eq!(
        refusal(enroll("b", "SN-1").map(|_| ())),
        "manifest-entry-used"
    );

    // Deprovisioned, it goes on with its entry, and nobody else.
    let admin = rig.admin();
    admin
        .deprovision("default", "pumps", "a", &Default::default())
        .unwrap();
    assert_eq!(
        refusal(enroll("b", "SN-1").map(|_| ())),
        "manifest-entry-used"
    );
    enroll("a", "SN-1").unwrap();

    // Deleted, its entry is free, but its serial number is buried.
    admin.delete_device("default", "pumps", "a").unwrap();
    let unused = ManifestEntriesQuery {
        unused: true,
        ..ManifestEntriesQuery::default()
    };
    let entries = admin.manifest_entries("default", "batch", &unused).unwrap();
    assert_eq!(entries.items.len(), 2);
    assert_eq!(refusal(enroll("b", "SN-1").map(|_| ())), "tombstoned");
    admin
        .allow_reenroll("default", "pumps", "a", &Default::default())
        .unwrap();
    enroll("b", "SN-1").unwrap();
    assert_eq!(
        refusal(enroll("c", "SN-1").map(|_| ())),
        "manifest-entry-used"
    );
    enroll("d", "SN-2").unwrap();
    let all = ManifestEntriesQuery::default();
    let entries = admin.manifest_entries("default", "batch", &all).unwrap();
    let devices: Vec<_> = entries
        .items
        .iter()
        .map(|one| one.device.as_deref())
        .collect();
    assert_eq!(devices, [Some("b"), Some("d")]);
}

#[test]
fn an_application_takes_its_place_on_the_manifest_until_it_is_turned_away() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Approve);
    serials(&rig, "batch", ["SN-1".to_owned(), "SN-2".to_owned()]);
    let two = NewSecret {
        max_devices: Some(3),
        ..on("batch")
    };
    let secret = secret(&rig, "pumps", &two);
    let apply = |name: &str, serial: &str| {
        let request = claiming(&rig, name, &secret, serial).request();
        rig.stranger().enroll(&request).map(drop)
    };
    apply("a", "SN-1").unwrap();
    assert_eq!(refusal(apply("b", "SN-1")), "manifest-entry-used");
    assert_eq!(refusal(apply("b", "SN-9")), "manifest-not-listed");
    let admin = rig.admin();
    admin
        .reject("default", "pumps", "a", &Default::default())
        .unwrap();
    apply("b", "SN-1").unwrap();
    apply("c", "SN-2").unwrap();
    assert_eq!(refusal(apply("d", "SN-2")), "secret-used-up");
    admin
        .approve("default", "pumps", "b", &Default::default())
        .unwrap();
    let manifest = admin.manifest("default", "batch").unwrap();
    assert_eq!(manifest.used, 2);
}

#[test]
fn in_a_known_group_a_device_has_to_be_both_created_and_listed() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    serials(&rig, "batch", ["SN-1".to_owned(), "SN-2".to_owned()]);
    let secret = secret(&rig, "pumps", &on("batch"));
    for (name, serial) in [("a", "SN-1"), ("c", "SN-3")] {
        let new = NewDevice {
            name: name.to_owned(),
            labels: Default::default(),
            hardware: claiming(&rig, name, &secret, serial).hardware,
        };
        rig.admin().create_device("default", "pumps", &new).unwrap();
    }
    let enroll = |name: Option<&str>, serial: &str| {
        let mut device = claiming(&rig, "unused", &secret, serial);
        device.name = name.map(ToOwned::to_owned);
        device.enroll(&rig).map(|enrolled| enrolled.name)
    };
    assert_eq!(refusal(enroll(None, "SN-2")), "unknown-device");
    assert_eq!(refusal(enroll(Some("b"), "SN-2")), "unknown-device");
    assert_eq!(refusal(enroll(Some("c"), "SN-3")), "manifest-not-listed");
    assert_eq!(refusal(enroll(None, "SN-3")), "manifest-not-listed");
    assert_eq!(enroll(None, "SN-1").unwrap(), "a");
    serials(&rig, "batch", ["SN-3".to_owned()]);
    assert_eq!(enroll(Some("c"), "SN-3").unwrap(), "c");
    let used = rig.admin().manifest("default", "batch").unwrap().used;
    assert_eq!(used, 2);
}

#[test]
fn who_was_let_in_before_by_the_same_secret_vouches_for_nobody() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    serials(&rig, "batch", ["SN-1".to_owned()]);
    let listed = secret(&rig, "pumps", &on("batch"));
    let plain = secret(&rig, "pumps", &NewSecret::default());
    let enroll = |name: &str, secret: &str, serial: &str| {
        let mut device = claiming(&rig, name, secret, serial);
        device.enroll(&rig).map(|_| ())
    };
    enroll("a", &plain, "SN-8").unwrap();
    enroll("b", &plain, "SN-9").unwrap();
    enroll("c", &listed, "SN-1").unwrap();
    assert_eq!(refusal(enroll("d", &listed, "SN-7")), "manifest-not-listed");
    let unnamed = rig.device("pumps", "e", &listed).enroll(&rig);
    assert_eq!(refusal(unnamed), "manifest-not-listed");
}

#[test]
fn nobody_claims_what_only_hardware_can_prove() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let ek = "ab".repeat(32);
    let (_, end) = import(&rig, "batch", "text/csv", &format!("tpm-ek\n{ek}\n"));
    assert_eq!(end.created, 1);
    let secret = secret(&rig, "pumps", &on("batch"));
    let mut device = claiming(&rig, "a", &secret, "x");
    device.hardware = Some(Hardware {
        kind: HardwareKind::TpmEk,
        value: ek,
    });
    assert_eq!(refusal(device.enroll(&rig)), "invalid-hardware-identity");
    let plain = rig.device("pumps", "a", &secret).enroll(&rig);
    assert_eq!(refusal(plain), "manifest-not-listed");
}

#[test]
fn a_file_with_errors_goes_in_but_for_those_and_again_nothing_is_new() {
    let rig = Rig::new();
    let file = "Serial,MAC,note\nSN-1,,\n,001A2B3C4D5E,\nSN-2,00:1a:2b:3c:4d:5f,both\nTo be filled by O.E.M.,,\nSN-1,,twice\n";
    let (rows, end) = import(&rig, "batch", "text/csv", file);
    assert_eq!((end.created, end.existing, end.refused), (2, 1, 2));
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.row.unwrap(), row.name.as_str(), row.result))
        .collect();
    assert_eq!(
        told,
        [
            (2, "serial:SN-1", BulkResult::Created),
            (3, "mac:00:1a:2b:3c:4d:5e", BulkResult::Created),
            (4, "", BulkResult::Refused),
            (5, "serial:To be filled by O.E.M.", BulkResult::Refused),
            (6, "serial:SN-1", BulkResult::Existing),
        ]
    );
    let reason = rows[2].problem.as_ref().unwrap();
    assert!(reason.detail.contains("more than one"), "{}", reason.detail);
    let (_, end) = import(&rig, "batch", "text/csv", file);
    assert_eq!((end.created, end.existing, end.refused), (0, 3, 2));
    let json = r#"["serial:SN-3", {"tpm-ek": "AB"}]"#;
    let (rows, end) = import(&rig, "batch", "application/json", json);
    assert_eq!((end.created, end.refused), (1, 1));
    assert!(rows[1].problem.as_ref().unwrap().detail.contains("64"));

    let bearer = format!("Bearer {}", rig.admin_token());
    let path = "/v1/tenants/default/manifests/batch/entries";
    for (kind, body, slug) in [
        ("text/csv", "name\na\n", "invalid-request"),
        ("application/json", "[\"serial:SN-4\"", "invalid-request"),
    ] {
        let headers = [("content-type", kind), ("authorization", bearer.as_str())];
        let answer = rig.raw("POST", path, &headers, body.as_bytes());
        let text = answer.text();
        let last = text.lines().last().unwrap();
        let problem: enlist_wire::Problem = serde_json::from_str(last).unwrap();
        assert_eq!(problem.slug(), slug, "{text}");
    }
    let headers = [("content-type", "text/plain"), ("authorization", &bearer)];
    let answer = rig.raw("POST", path, &headers, b"serial\nx\n");
    assert_eq!(answer.slug(), "unsupported-media-type");
}

#[test]
fn a_manifest_that_is_named_stays_and_a_rotated_secret_keeps_its_bounds() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    serials(&rig, "batch", ["SN-1".to_owned()]);
    let admin = rig.admin();
    let missing = admin.create_secret("default", "pumps", &on("nothing"));
    assert_eq!(refusal(missing), "manifest-not-found");
    let bounded = NewSecret {
        expires_in_s: Some(1000),
        max_devices: Some(5),
        networks: vec!["127.0.0.1".to_owned()],
        label: Some("line-4".to_owned()),
        ..on("batch")
    };
    rig.clock.advance(Duration::from_secs(1));
    secret(&rig, "pumps", &bounded);
    assert_eq!(
        refusal(admin.delete_manifest("default", "batch")),
        "manifest-in-use"
    );

    rig.clock.advance(Duration::from_secs(400));
    let before = rig.ops.now();
    let line = RotateSecret {
        secret: bounded.label.clone(),
        ..RotateSecret::default()
    };
    let rotated = admin.rotate_secret("default", "pumps", &line).unwrap();
    let shown = admin.secrets("default", "pumps").unwrap().items;
    let shown = shown.iter().find(|one| one.secret_id == rotated.secret_id);
    let shown = shown.unwrap();
    assert_eq!(shown.manifest.as_deref(), Some("batch"));
    assert_eq!((shown.max_devices, shown.used), (Some(5), 0));
    assert_eq!(shown.networks, ["127.0.0.1/32"]);
    let end = shown.expires_at.unwrap().as_millis() - before.as_millis();
    assert!((1_000_000..1_060_000).contains(&end), "{end}");
    claiming(&rig, "a", rotated.secret.expose(), "SN-1")
        .enroll(&rig)
        .unwrap();

    for one in admin.secrets("default", "pumps").unwrap().items {
        admin
            .delete_secret("default", "pumps", one.secret_id)
            .unwrap();
    }
    admin.delete_manifest("default", "batch").unwrap();
    assert_eq!(
        refusal(admin.manifest("default", "batch")),
        "manifest-not-found"
    );
    assert!(admin.device("default", "pumps", "a").is_ok(), "it stays in");
}
