//! A rollover of roots as an operator types it, against a real server.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, eventually};

fn certificates(pem: &str) -> usize {
    pem.matches("-----BEGIN CERTIFICATE-----").count()
}

fn anchors(rig: &Rig, file: &str) -> Vec<String> {
    let file: serde_json::Value = serde_json::from_str(&rig.read(file)).unwrap();
    let anchors = file["trust_anchors_pem"].as_array().unwrap();
    anchors
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn generate(rig: &Rig, file: &str) -> Vec<String> {
    rig.ok(&format!(
        "enlist gen-device-config --device-name=lamp --enrollment-type=group-enroll \\
             --persist=/var/lib/enlist --config-path {file}"
    ));
    anchors(rig, file)
}

#[test]
fn the_command_line_and_new_device_files_go_along_with_the_roots() {
    let rig = Rig::new();
    let login = "enlist login --ca ../data/root.pem --token-file ../data/admin.token --server";
    for name in ["colleague", "absent"] {
        let home = format!("XDG_CONFIG_HOME=$PWD/{name}");
        rig.ok(&format!("{home} {login} {}", rig.url));
    }
    assert_eq!(certificates(&rig.ok("enlist get roots")), 1);
    assert_eq!(generate(&rig, "before.json").len(), 1);
    rig.refused("enlist retire root", 1, "no-next-root");

    let root = rig.json("enlist add root -o json");
    let next = root["certificate"].as_str().unwrap();
    rig.refused("enlist add root", 1, "rollover-under-way");
    let both = rig.ok("enlist get roots");
    assert_eq!(certificates(&both), 2);
    assert!(both.ends_with(next));
    assert_eq!(
        std::fs::read_to_string(rig.data().join("root.pem")).unwrap(),
        both
    );
    let during = generate(&rig, "during.json");
    assert_eq!(during.concat(), both);
    // Somebody else finds out by looking.
    let seen = rig.ok("XDG_CONFIG_HOME=$PWD/colleague enlist get roots -o csv");
    assert_eq!(seen.lines().count(), 3);
    let rollover = rig.json("enlist get rollover --all-tenants -o json");
    assert_eq!(rollover.as_array().unwrap().len(), 0, "no devices");

    let retired = rig.json("enlist retire root -o json");
    assert_eq!(retired["standing"], "current");
    eventually("the new root is presented", || {
        rig.sh("XDG_CONFIG_HOME=$PWD/absent enlist get groups")
            .status
            == 3
    });
    rig.ok("enlist get groups");
    rig.ok("XDG_CONFIG_HOME=$PWD/colleague enlist get groups");
    assert_eq!(rig.ok("enlist get roots"), next);
    assert_eq!(generate(&rig, "after.json"), [next]);
    rig.ok(&format!("XDG_CONFIG_HOME=$PWD/absent {login} {}", rig.url));
    rig.ok("XDG_CONFIG_HOME=$PWD/absent enlist get groups");
}

#[test]
fn a_group_that_signs_for_itself_approves_with_its_own_key() {
    let rig = Rig::new();
    for file in ["key.pem", "other.pem"] {
        rig.ok(&format!(
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {file}"
        ));
    }
    rig.ok("enlist --signing-method=local --signing-key=key.pem add group vaults");
    let local = "enlist --signing-method=local";
    let approve = |key: &str| format!("{local} --signing-key={key} approve root -g vaults");
    rig.refused(&approve("key.pem"), 1, "no-next-root");
    let root = rig.json("enlist add root -o json");
    let fingerprint = root["fingerprint"].as_str().unwrap();
    rig.refused("enlist approve root -g vaults", 1, "signing-arguments");
    rig.refused(&approve("other.pem"), 1, "signing-key-unknown");
    let wrong = format!("{} --fingerprint {}", approve("key.pem"), "0".repeat(64));
    rig.refused(&wrong, 1, "another-root");
    rig.ok(&format!(
        "{} --fingerprint {fingerprint}",
        approve("key.pem")
    ));
    let events = rig.json("enlist get events -o json");
    let kinds: Vec<_> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"root-approved"), "{kinds:?}");
}
