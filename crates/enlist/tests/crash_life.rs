//! `kill -9` of the agent at each of the system calls by which it writes and speaks, while it takes a
//! configuration and while it is wiped: it converges, and the server's record agrees.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::kill::{at_every_step, configuration_with, killed_at, rig};
use serde_json::json;

#[test]
fn killed_at_any_step_of_taking_a_configuration_the_agent_has_one_or_the_other_and_then_the_new() {
    let Some(rig) = rig() else { return };
    let secret = rig.ok("enlist add group crashes --enrollment open");
    rig.write(
        "schema.json",
        r#"{"type": "object", "properties": {"step": {"type": "integer", "default": 0}}}"#,
    );
    rig.ok("enlist apply schema -g crashes -f schema.json");
    let keys = rig.json("enlist get signing -g crashes -o json")["keys"].clone();
    let more = json!({
        "single_check": true,
        "public_keys": keys,
        "hooks": {"configuration_check": "test -s \"$ENLIST_CONFIGURATION\""},
    });
    configuration_with(&rig, "device", secret.trim(), &more);
    rig.ok("enlist-agent run -c device.json 2>agent.log");
    let current = rig
        .work()
        .join("device.state/configuration/current/config.json");
    let in_force = || {
        let text = std::fs::read_to_string(&current).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["step"].clone()
    };
    let mut number = 0;
    let killed = at_every_step(|call, step| {
        number += 1;
        rig.write("values.json", &json!({"step": number}).to_string());
        rig.ok("enlist apply config -g crashes -f values.json");
        let ran = killed_at(&rig, call, step, "enlist-agent run -c device.json");
        let now = in_force();
        assert!(
            now == number || now == number - 1,
            "killed at {call} {step}: {now}"
        );
        rig.ok("enlist-agent run -c device.json 2>agent.log");
        assert_eq!(in_force(), number, "killed at {call} {step}");
        ran.status == 0
    });
    assert!(killed >= 20, "{killed} steps were found");
    let device = rig.json("enlist get device device -g crashes -o json");
    assert!(
        !device.to_string().contains("hook-"),
        "no good one was refused: {device}"
    );
}

#[test]
fn killed_at_any_step_of_its_wipe_the_agent_ends_in_a_clean_state_with_its_receipt_on_record() {
    let Some(rig) = rig() else { return };
    let secret = rig.ok("enlist add group crashes --enrollment open");
    let mut devices = 0;
    let killed = at_every_step(|call, step| {
        let name = format!("device-{call}-{step}");
        devices += 1;
        let data = rig.work().join(format!("{name}.data"));
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("recipe"), "secret").unwrap();
        let more = json!({"single_check": true, "wipe_paths": [data]});
        configuration_with(&rig, &name, secret.trim(), &more);
        rig.ok(&format!("enlist-agent provision -c {name}.json"));
        let decommission = format!("enlist-agent decommission --yes -c {name}.json");
        let ran = killed_at(&rig, call, step, &decommission);
        if ran.status != 0 {
            // Whatever was begun is ended by the next start; what was not, by asking again.
            rig.sh(&format!("enlist-agent run -c {name}.json"));
            rig.sh(&decommission);
        }
        let device = rig.json(&format!("enlist get device {name} -g crashes -o json"));
        assert_eq!(device["state"], "decommissioned", "killed at {call} {step}");
        rig.ok(&format!(
            "enlist get receipt {name} -g crashes > receipt.json"
        ));
        assert!(!data.exists(), "killed at {call} {step}");
        let left = rig.files(&format!("{name}.state"));
        for gone in [
            "state.json",
            "slots",
            "current",
            "wipe.json",
            "wrapping.key",
        ] {
            assert!(
                !left.contains(&gone.to_owned()),
                "killed at {call} {step}: {left:?}"
            );
        }
        ran.status == 0
    });
    assert!(killed >= 20, "{killed} steps were found");
    let recorded = rig.json("enlist get devices -g crashes -o json");
    assert_eq!(recorded.as_array().unwrap().len(), devices);
}
