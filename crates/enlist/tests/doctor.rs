//! The doctor of a device that has a real server.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::Rig;
use serde_json::Value;

fn verdict(report: &Value, name: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name).unwrap();
    format!("{} {}", found["verdict"].as_str().unwrap(), found["found"])
}

#[test]
fn the_doctor_finds_a_device_well_and_a_suspended_one_not() {
    let rig = Rig::new();
    rig.ok("enlist add group presses --enrollment open > secret.txt");
    let config = serde_json::json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": std::fs::read_to_string(rig.data().join("root.pem")).unwrap(),
        "group": "presses",
        "name": "press-1",
        "device_enrollment_token": rig.read("secret.txt").trim(),
        "persistent_directory": rig.work().join("agent"),
        "export_directory": rig.work().join("credentials"),
    });
    rig.write("config.json", &config.to_string());
    rig.ok("chmod 600 config.json && enlist-agent provision -c config.json");
    rig.ok("enlist-agent run --single-check -c config.json");
    let status = rig.json("enlist-agent status -c config.json -o json");
    assert_eq!(status["key_store"], "file");
    let key = status["key"].as_str().unwrap();
    let certificate = status["certificate"].as_str().unwrap();
    rig.ok(&format!(
        "[ \"$(openssl pkey -in {key} -pubout)\" = \"$(openssl x509 -in {certificate} -noout -pubkey)\" ]"
    ));

    let report = rig.json("enlist-agent doctor -c config.json -o json");
    assert_eq!(report["ok"], true, "{report}");
    for check in [
        "configuration",
        "permissions",
        "disk",
        "clock",
        "network",
        "trust",
        "server",
        "certificate",
        "enrollment",
        "settings",
        "hooks",
        "export",
        "contact",
    ] {
        let found = verdict(&report, check);
        assert!(found.starts_with("ok "), "{check}: {found}");
    }
    assert!(verdict(&report, "key_store").starts_with("warning "));

    rig.ok("enlist suspend device press-1 -g presses");
    let ran = rig.sh("enlist-agent doctor -c config.json -o json");
    assert_eq!(ran.status, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let found = verdict(&report, "enrollment");
    assert!(
        found.starts_with("failed ") && found.contains("suspended"),
        "{found}"
    );

    // Somebody else's root: the device believes nobody who answers.
    rig.ok(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -subj /CN=Other -keyout /dev/null -out other.pem 2>openssl.log",
    );
    let mut other = config;
    other["trust_anchors_pem"] = rig.read("other.pem").into();
    other["persistent_directory"] = rig.work().join("other").to_str().into();
    rig.write("other.json", &other.to_string());
    let ran = rig.sh("enlist-agent doctor -c other.json -o json");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(verdict(&report, "trust").starts_with("failed "), "{report}");
}
