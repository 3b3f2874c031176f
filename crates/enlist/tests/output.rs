//! What is printed, and how.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::Rig;

#[test]
fn lists_of_any_length_are_complete_in_every_form() {
    let rig = Rig::new();
    rig.ok("enlist add group many --no-secret");
    rig.ok("enlist add devices -g many --count 1203 --prefix d");
    rig.ok("enlist add device other");
    let list = rig.json("enlist get devices -o json");
    assert_eq!(list.as_array().unwrap().len(), 1204);
    assert_eq!(
        rig.json("enlist get devices -g many -o json")
            .as_array()
            .unwrap()
            .len(),
        1203
    );
    assert_eq!(
        rig.json("enlist get devices --limit 7 -o json")
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(
        rig.json("enlist get devices --limit 501 -o json")
            .as_array()
            .unwrap()
            .len(),
        501
    );
    assert_eq!(
        rig.json("enlist get devices --state active -o json")
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let csv = rig.ok("enlist get devices -o csv");
    assert_eq!(csv.lines().count(), 1205);
    assert!(csv.starts_with("group,name,state,"), "{csv}");
    let table = rig.ok("enlist get devices");
    assert_eq!(table.lines().count(), 1205);
    assert_eq!(table.matches("GROUP").count(), 1, "one header");
    assert!(
        !table.contains('\x1b'),
        "no colours where there is no terminal"
    );
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let rig = Rig::new();
    rig.ok("enlist add devices --count 2000 --prefix d");
    for format in ["json", "csv", "table"] {
        let ran = rig.sh(&format!(
            "{{ enlist get devices -o {format}; echo \"status $?\" >&2; }} | head -n 1"
        ));
        assert_eq!(ran.err, "status 0\n", "{ran:?}");
        assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    }
}

#[test]
fn everything_that_is_there_can_be_had_as_json() {
    let rig = Rig::new();
    rig.ok("enlist add group lamps > secret.txt");
    let created = rig.json("enlist add group presses --enrollment open --lifetime 24 --max-lifetime 48 --server-auth --dns-suffix devices.example.com -o json");
    assert!(
        created["secret"]["secret"]
            .as_str()
            .unwrap()
            .starts_with("eps_")
    );
    assert_eq!(
        created["group"]["profile"]["dns_suffix"],
        "devices.example.com"
    );
    let device = rig.json("enlist add device -g lamps lamp-1 --label region=north --label line=4 --hardware serial:C02XK1 -o json");
    assert_eq!(device["labels"]["region"], "north");
    assert_eq!(device["hardware"]["value"], "C02XK1");
    let token = rig.json("enlist add token ops --role operator --expires-in 30d -o json");
    assert!(token["token"].as_str().unwrap().starts_with("eat_"));
    let secret = rig.json("enlist add secret -g lamps --label line-4 --max-devices 3 -o json");
    assert_eq!(secret["label"], "line-4");
    rig.ok("enlist add tenant acme -o json");
    for (command, at_least) in [
        ("get tenants", 2),
        ("get groups", 3),
        ("get secrets", 3),
        ("get tokens", 1),
        ("get tokens --installation", 1),
        ("get events", 5),
        ("get events -g lamps --device lamp-1", 1),
        ("get certificates", 0),
        ("get pending", 0),
        ("get context", 1),
    ] {
        for format in ["json", "csv", "table"] {
            let out = rig.ok(&format!("enlist {command} -o {format}"));
            for secret in ["eps_", "eat_", "edt_", "PRIVATE"] {
                assert!(!out.contains(secret), "{command}: {out}");
            }
            if format == "json" {
                let list: serde_json::Value = serde_json::from_str(&out).unwrap();
                assert!(
                    list.as_array().unwrap().len() >= at_least,
                    "{command}: {out}"
                );
            } else {
                assert!(out.lines().count() > at_least, "{command}: {out}");
            }
        }
    }
    let shown = rig.ok("enlist get device lamp-1 -g lamps");
    assert!(
        shown.contains("state:") && shown.contains("created"),
        "{shown}"
    );
    assert_eq!(
        rig.json("enlist suspend device lamp-1 -g lamps -o json || echo null"),
        serde_json::Value::Null
    );
    rig.ok("enlist delete device lamp-1 -g lamps && enlist delete group lamps");
    rig.refused("enlist delete group lamps", 1, "group-not-found");
}

#[test]
fn the_environment_wins_over_the_context() {
    let rig = Rig::new();
    let other = Rig::new();
    other.ok("enlist add group theirs");
    let env = format!(
        "ENLIST_SERVER={} ENLIST_CA={} ENLIST_TOKEN=$(cat {})",
        other.url,
        other.data().join("root.pem").display(),
        other.data().join("admin.token").display()
    );
    let groups = rig.ok(&format!("{env} enlist get groups -o csv"));
    assert!(groups.contains("theirs"), "{groups}");
    assert!(!rig.ok("enlist get groups -o csv").contains("theirs"));
    let ran = rig.sh(&format!("{env} enlist get context"));
    assert!(ran.err.contains("ENLIST_TOKEN"), "{ran:?}");
    let config = rig.ok(&format!(
        "{env} enlist gen-device-config --device-name=lamp --enrollment-type=pre-enroll --persist=/p && cat config.json"
    ));
    assert!(config.contains(&other.url), "{config}");
}
