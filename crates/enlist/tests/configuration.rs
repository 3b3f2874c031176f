//! Stating the configuration of devices, through real processes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::Rig;

const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "interval_s": {"type": "integer", "minimum": 1, "default": 60},
    "password": {"type": "string", "default": "", "writeOnly": true}
  }
}"#;
const LOCAL: &str = "--signing-method local --signing-key signing.pem";
const NEW_KEY: &str = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out";

fn with_schema() -> Rig {
    let rig = Rig::new();
    rig.write("schema.json", SCHEMA);
    rig.ok("enlist add group pumps --enrollment open > pumps.secret");
    rig.ok("enlist apply schema -g pumps -f schema.json");
    rig
}

#[test]
fn the_walk_in_the_documentation_runs_as_it_stands() {
    let rig = Rig::new();
    let document = include_str!("../../../docs/configuration.md");
    let walk = document.split("\n## The command line").nth(1).unwrap();
    let walk = walk.split("\n## ").next().unwrap();
    let blocks: Vec<&str> = walk
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 6);
    for block in blocks {
        let out = rig.ok(&format!("set -e\n{block}"));
        assert!(!out.contains("s3cret"), "{out}");
    }
    let whole = rig.json("enlist get config -g presses press-7 --effective -o json");
    assert_eq!(whole["effective"]["interval_min"], 1);
    assert_eq!(whole["effective"]["broker"]["host"], "broker.example.com");
    assert_eq!(whole["effective"]["broker"]["password"], "***");
    let mixed = rig.json("enlist get schema -g mixers -o json");
    assert_eq!(mixed["schema_version"], 1);
}

#[test]
fn diff_ends_as_diff_does() {
    let rig = with_schema();
    rig.write("values.json", r#"{"interval_s": 5}"#);
    let diff = "enlist diff config -g pumps -f";
    let ran = rig.sh(&format!("{diff} values.json"));
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.out.contains("/interval_s"), "{ran:?}");
    rig.ok("enlist apply config -g pumps -f values.json");
    let ran = rig.sh(&format!("{diff} values.json"));
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    rig.write("wrong.json", r#"{"interval_s": "5"}"#);
    rig.refused(&format!("{diff} wrong.json"), 2, "configuration-invalid");
    rig.refused(&format!("{diff} missing.json"), 2, "file-missing");
    rig.write("cut.json", "{");
    rig.refused(&format!("{diff} cut.json"), 2, "file-malformed");
    let ran = rig.ok("enlist apply config -g pumps -f values.json -o json");
    let applied: serde_json::Value = serde_json::from_str(&ran).unwrap();
    assert_eq!(
        (&applied["changed"], &applied["version"]),
        (&false.into(), &1.into())
    );
}

#[test]
fn an_operator_sees_conflicts_history_and_no_secrets() {
    let rig = with_schema();
    rig.ok("echo '{\"password\": \"hunter2hunter2\"}' | enlist apply config -g pumps -f -");
    rig.ok("echo '{\"interval_s\": 5}' | enlist apply config -g pumps -f - --if-version 1");
    rig.refused(
        "echo '{\"interval_s\": 6}' | enlist apply config -g pumps -f - --if-version 1",
        1,
        "configuration-conflict",
    );
    let history = rig.json("enlist get config -g pumps --history -o json");
    let versions: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["version"])
        .collect();
    assert_eq!(versions, [2, 1]);
    for command in [
        "get config -g pumps --history",
        "get config -g pumps --version 1",
        "get config -g pumps --version 1 -o json",
        "get events -g pumps",
    ] {
        let ran = rig.sh(&format!("enlist {command}"));
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
    let shown = rig.ok("enlist get config -g pumps --version 1 --reveal");
    assert!(shown.contains("hunter2hunter2"), "{shown}");
    rig.ok("enlist -t default add token ops --role operator > ops.token");
    rig.refused(
        "ENLIST_TOKEN=$(cat ops.token) enlist get config -g pumps --reveal",
        1,
        "forbidden",
    );
}

#[test]
fn what_the_operators_sign_nobody_else_can() {
    let rig = Rig::new();
    rig.write("schema.json", SCHEMA);
    rig.write("values.json", r#"{"interval_s": 5}"#);
    rig.ok(&format!("{NEW_KEY} signing.pem && {NEW_KEY} other.pem"));
    rig.ok(&format!("enlist add group valves {LOCAL} > secret.txt"));
    let schema = "enlist apply schema -g valves -f schema.json";
    let apply = "enlist apply config -g valves -f values.json";
    rig.refused(schema, 1, "signing-method-mismatch");
    rig.refused(
        &format!("{schema} --signing-method local --signing-key other.pem"),
        1,
        "signing-key-unknown",
    );
    rig.refused(
        &format!("{schema} --signing-key signing.pem"),
        1,
        "signing-arguments",
    );
    rig.ok(&format!("{schema} {LOCAL}"));
    rig.ok(&format!("{apply} {LOCAL}"));
    rig.write("values.json", r#"{"interval_s": 7}"#);
    rig.ok(&format!("{apply} --signing-method external --signing-command 'openssl dgst -sha256 -sign signing.pem'"));
    rig.write("values.json", r#"{"interval_s": 8}"#);
    let failing = rig.sh(&format!(
        "{apply} --signing-method external --signing-command false"
    ));
    assert_eq!(failing.status, 1, "{failing:?}");
    rig.refused(
        "enlist rollback config -g valves --to 1",
        1,
        "signing-method-mismatch",
    );
    rig.ok(&format!("enlist rollback config -g valves --to 1 {LOCAL}"));
    let found = rig.json("enlist get config -g valves -o json");
    assert_eq!(
        (&found["version"], &found["values"]["interval_s"]),
        (&3.into(), &5.into())
    );

    // What a colleague has stated is signed anew only where the colleague's key was named here.
    rig.ok("openssl pkey -in signing.pem -pubout -out signing.pub");
    rig.ok("openssl pkey -in other.pem -pubout -out other.pub");
    rig.ok("cat signing.pub other.pub > both.pub");
    rig.ok(&format!(
        "enlist add group pipes {LOCAL} --signing-public-key both.pub > pipes.secret"
    ));
    let theirs = "--signing-method local --signing-key other.pem";
    rig.ok(&format!(
        "enlist apply schema -g pipes -f schema.json {theirs}"
    ));
    for value in [1, 2] {
        rig.write("values.json", &format!(r#"{{"interval_s": {value}}}"#));
        rig.ok(&format!(
            "enlist apply config -g pipes -f values.json {theirs}"
        ));
    }
    let back = format!("enlist rollback config -g pipes --to 1 {LOCAL}");
    rig.refused(&back, 1, "statement-refused");
    rig.ok(&format!("{back} --signing-public-key other.pub"));

    // A second schema version, back to the first, and the third follows the second.
    rig.write("schema-2.json", &SCHEMA.replace("interval_s", "interval"));
    rig.write(
        "steps.json",
        r#"[{"rename": {"from": "/interval_s", "to": "/interval"}}]"#,
    );
    rig.ok(&format!(
        "enlist apply schema -g valves -f schema-2.json --migrations steps.json {LOCAL}"
    ));
    rig.ok(&format!("enlist rollback config -g valves --to 2 {LOCAL}"));
    let found = rig.json("enlist get config -g valves -o json");
    assert_eq!(found["values"]["interval"], 7, "led to the schema of today");
    rig.ok(&format!("enlist rollback schema -g valves --to 1 {LOCAL}"));
    rig.write("schema-3.json", &SCHEMA.replace("interval_s", "every"));
    rig.write(
        "steps-3.json",
        r#"[{"rename": {"from": "/interval", "to": "/every"}}]"#,
    );
    rig.ok(&format!(
        "enlist apply schema -g valves -f schema-3.json --migrations steps-3.json {LOCAL}"
    ));
    let found = rig.json("enlist get config -g valves -o json");
    assert_eq!(
        (&found["schema_version"], &found["values"]["every"]),
        (&3.into(), &7.into())
    );
}

#[test]
fn a_devices_file_names_the_keys_that_it_is_to_believe() {
    let rig = Rig::new();
    rig.ok(&format!("{NEW_KEY} signing.pem"));
    rig.ok(&format!(
        "enlist add group valves --enrollment open {LOCAL} > secret.txt"
    ));
    let generate = "gen-device-config --device-name=v --enrollment-type=group-enroll --persist=/p";
    rig.ok(&format!(
        "enlist {generate} -g valves --config-path valve.json"
    ));
    let file: serde_json::Value = serde_json::from_str(&rig.read("valve.json")).unwrap();
    assert_eq!(file["signing_method"], "local");
    let public = rig.ok("openssl pkey -in signing.pem -pubout");
    assert_eq!(
        file["public_keys"][0].as_str().unwrap().trim(),
        public.trim()
    );

    // Where keys are named, the device believes no other, whatever the server says.
    rig.ok(&format!(
        "enlist {LOCAL} {generate} -g valves --config-path named.json"
    ));
    rig.ok(&format!("{NEW_KEY} other.pem"));
    rig.refused(
        &format!(
            "enlist --signing-method=local --signing-key=other.pem {generate} -g valves --config-path other.json"
        ),
        1,
        "signing-key-unknown",
    );

    rig.ok(&format!(
        "enlist --signing-method=remote {generate} --config-path lamp.json"
    ));
    let file: serde_json::Value = serde_json::from_str(&rig.read("lamp.json")).unwrap();
    let shown = rig.json("enlist get signing -o json");
    assert_eq!(file["public_keys"], shown["keys"]);
    assert_eq!(shown["method"], "remote");
    rig.ok("enlist -t default add token line --role factory > line.token");
    rig.ok("ENLIST_TOKEN=$(cat line.token) enlist get signing -g valves");
}

#[test]
fn a_device_takes_what_its_operator_signed_and_the_server_sees_it_in_force() {
    let rig = Rig::new();
    rig.write("schema.json", SCHEMA);
    rig.write("values.json", r#"{"interval_s": 5}"#);
    rig.ok(&format!("{NEW_KEY} signing.pem"));
    rig.ok(&format!(
        "enlist add group valves --enrollment open {LOCAL} > secret.txt"
    ));
    rig.ok(&format!(
        "enlist apply schema -g valves -f schema.json {LOCAL}"
    ));
    rig.ok(&format!(
        "enlist apply config -g valves -f values.json {LOCAL}"
    ));
    let state = rig.work().join("state");
    rig.ok(&format!(
        "enlist gen-device-config --device-name=valve-1 --enrollment-type=pre-enroll -g valves --persist={}",
        state.display()
    ));
    let agent = rig
        .command("enlist-agent")
        .args(["run", "-c", "config.json"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut agent = Ended(agent);
    let file = state.join("configuration/current/config.json");
    rig::eventually("the configuration is in force", || file.is_file());
    let text = std::fs::read_to_string(&file).unwrap();
    let values: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(values["interval_s"], 5);
    rig::eventually("the server knows", || {
        let device = rig.json("enlist get device valve-1 -g valves -o json");
        let desired = &device["desired"]["numbers"];
        let in_force = &device["reported"]["configuration"]["in_force"];
        desired["group"] == 1 && desired == in_force
    });
    assert!(agent.0.try_wait().unwrap().is_none(), "it is still there");
}

/// A process that ends with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
