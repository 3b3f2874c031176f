//! The lines of the field, exactly as they are typed.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, Shell};

#[test]
fn a_shell_loop_creates_a_hundred_devices_and_one_of_them_is_provisioned() {
    let rig = Rig::new();
    rig.ok("iotactl add group room2-lights > secret.txt");
    let secret = rig.read("secret.txt");
    assert!(
        secret.starts_with("eps_") && secret.ends_with('\n'),
        "{secret}"
    );
    assert_eq!(secret.lines().count(), 1, "the secret and nothing else");

    rig.ok("i=1
            while [ $i -le 50 ]; do
                iotactl add device -g room2-lights test-device-$i || exit 1
                i=$((i + 1))
            done");
    rig.ok(
        "i=51; while [ $i -le 100 ]; do echo test-device-$i; i=$((i + 1)); done > names.txt
            while read -r name; do
                iotactl add device -g room2-lights \"$name\" || exit 1
            done < names.txt",
    );
    rig.ok("iotactl add device -g room2-lights test-device-123");
    let devices = rig.json("iotactl get devices -g room2-lights -o json");
    assert_eq!(devices.as_array().unwrap().len(), 101);

    rig.ok("iotactl provision test-device-123 -g room2-lights -s \"$(cat secret.txt)\" --ttl 168");
    rig.ok("openssl verify -CAfile test-device-123_ca.pem test-device-123_crt.pem");
    let text = rig.ok("openssl x509 -in test-device-123_crt.pem -noout -text");
    for part in [
        "CN=test-device-123",
        "DNS:test-device-123.room2-lights.default",
        "URI:urn:uuid:",
        "TLS Web Client Authentication",
        "Digital Signature",
    ] {
        let bare = text.replace("CN = ", "CN=");
        assert!(bare.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("TLS Web Server Authentication"), "{text}");
    let device = rig.json("iotactl get device test-device-123 -g room2-lights -o json");
    assert_eq!(device["state"], "active");
}

#[test]
fn both_kinds_of_configuration_enroll_two_devices_on_one_machine() {
    let rig = Rig::new();
    for kind in ["group-enroll", "pre-enroll"] {
        rig.ok(&format!("mkdir {kind}"));
        let persist = rig.work().join(kind).join("persist");
        let ran = rig.sh(&format!(
            "cd {kind} && trh --signing-method=\"remote\" gen-device-config --device-name=\"my_device_name\" --enrollment-type=\"{kind}\" --persist=\"{}\"",
            persist.display()
        ));
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.err.contains("`my-device-name` is used"), "{ran:?}");
        assert_eq!(ran.out, "");
        let config = rig.work().join(kind).join("config.json");
        assert_eq!(rig::mode(&config), 0o600);
        enlist_agent::Configuration::load(&config).unwrap();
    }
    for kind in ["group-enroll", "pre-enroll"] {
        rig.ok(&format!(
            "cd {kind} && enlist agent provision -c config.json"
        ));
        let again = rig.json(&format!(
            "cd {kind} && enlist-agent provision -c config.json -o json"
        ));
        assert_eq!(again["already_enrolled"], true, "{again}");
    }
    let devices = rig.json("enlist get devices -o json");
    let mut names: Vec<_> = devices
        .as_array()
        .unwrap()
        .iter()
        .map(|device| {
            (
                device["name"].as_str().unwrap(),
                device["state"].as_str().unwrap(),
            )
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], ("my-device-name", "active"));
    assert!(names[1].0.starts_with("my-device-name-"), "{names:?}");
    let secrets = rig.json("enlist get secrets -g default -o json");
    assert_eq!(secrets[0]["label"], "my-device-name");
    assert_eq!(secrets[0]["used"], 1);
}

#[test]
fn an_identity_file_makes_a_shared_configuration_one_devices_own() {
    let rig = Rig::new();
    rig.ok("enlist add group presses --no-secret");
    rig.ok("enlist identity --device-name=press-7 --pre-enroll -g presses");
    assert_eq!(rig::mode(&rig.work().join("identity.json")), 0o600);
    let root = std::fs::read_to_string(rig.data().join("root.pem")).unwrap();
    let config = serde_json::json!({
        "schema_version": 1,
        "server_url": rig.url,
        "trust_anchors_pem": root,
        "persistent_directory": rig.work().join("persist"),
        "identity_path": rig.work().join("identity.json"),
    });
    rig.write("config.json", &config.to_string());
    let own = rig.json("enlist agent provision -c config.json -o json");
    assert_eq!(own["name"], "press-7");
    let device = rig.json("enlist get device press-7 -g presses -o json");
    assert_eq!(device["state"], "active");
}

#[test]
fn the_program_takes_the_name_it_is_called_by() {
    let shell = Shell::new();
    assert!(shell.ok("iotactl --help").contains("Usage: iotactl"));
    assert!(
        shell
            .ok("trh add group --help")
            .contains("Usage: trh add group")
    );
    assert!(
        shell
            .ok("enlist-agent --help")
            .contains("Usage: enlist-agent")
    );
    assert!(
        shell
            .ok("iotactl completions bash")
            .contains("complete -F _iotactl")
    );
    assert!(shell.ok("enlist man").contains(".TH enlist"));
    shell.ok("enlist man pages");
    let pages = shell.files("pages");
    for page in ["enlist-add-device.1", "enlist-agent-provision.1"] {
        assert!(pages.contains(&page.to_owned()), "{page}: {pages:?}");
    }
}
