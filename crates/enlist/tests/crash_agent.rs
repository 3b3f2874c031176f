//! `kill -9` of the agent at each of the system calls by which it writes and speaks, through its
//! enrollment and its renewal: it converges, and the server has one device.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::Rig;
use rig::kill::{at_every_step, configuration, killed_at, rig};
use serde_json::Value;

#[test]
fn killed_at_any_step_of_its_enrollment_the_agent_converges() {
    let Some(rig) = rig() else { return };
    let secret = rig.ok("enlist add group crashes --enrollment open");
    let mut devices = 0;
    let killed = at_every_step(|call, step| {
        let name = format!("device-{call}-{step}");
        devices += 1;
        configuration(&rig, &name, secret.trim());
        let ran = killed_at(
            &rig,
            call,
            step,
            &format!("enlist-agent provision -c {name}.json"),
        );
        rig.ok(&format!("enlist-agent provision -c {name}.json"));
        let device = rig.json(&format!("enlist get device {name} -g crashes -o json"));
        assert_eq!(device["state"], "active", "killed at {call} {step}");
        let status = rig.json(&format!("enlist-agent status -c {name}.json -o json"));
        assert_eq!(
            status["device_id"], device["device_id"],
            "killed at {call} {step}"
        );
        let recorded = certificates(&rig, &name);
        assert_eq!(recorded.len(), 1, "killed at {call} {step}: {recorded:?}");
        ran.status == 0
    });
    assert!(killed >= 20, "{killed} steps were found");
    let recorded = rig.json("enlist get devices -g crashes -o json");
    assert_eq!(recorded.as_array().unwrap().len(), devices);
}

#[test]
fn killed_at_any_step_of_its_renewal_the_agent_converges() {
    let Some(rig) = rig() else { return };
    let secret = rig.ok("enlist add group crashes --enrollment open");
    configuration(&rig, "device", secret.trim());
    rig.ok("enlist-agent provision -c device.json");
    let killed = at_every_step(|call, step| {
        let ran = killed_at(&rig, call, step, "enlist-agent renew -c device.json");
        rig.ok("enlist-agent renew -c device.json");
        let status = rig.json("enlist-agent status -c device.json -o json");
        let standing: Vec<_> = certificates(&rig, "device")
            .into_iter()
            .filter(|one| one["status"] == "current" || one["status"] == "previous")
            .collect();
        assert_eq!(standing.len(), 1, "killed at {call} {step}: {standing:?}");
        assert_eq!(
            standing[0]["serial"], status["serial"],
            "killed at {call} {step}"
        );
        ran.status == 0
    });
    assert!(killed >= 20, "{killed} steps were found");
    let events = rig.json("enlist get events -g crashes -o json");
    let suspicious = events.as_array().unwrap().iter();
    let suspicious: Vec<_> = suspicious
        .filter(|one| one["kind"] == "clone-suspected")
        .collect();
    assert!(
        suspicious.is_empty(),
        "an honest device was taken for a clone: {suspicious:?}"
    );
}

fn certificates(rig: &Rig, name: &str) -> Vec<Value> {
    let all = rig.json("enlist get certificates -g crashes -o json");
    let all = all.as_array().unwrap().iter();
    all.filter(|one| one["device"] == name).cloned().collect()
}
