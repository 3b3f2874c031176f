//! Hooks that misbehave, signatures and schemas that are wrong, clocks that jump: the device stays in its
//! last good state, says so, and comes back by itself.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::device::Device;
use rig::rogue::Switch;
use rig::{Rig, eventually};
use serde_json::json;

#[test]
fn a_hook_that_hangs_fails_or_kills_the_agent_leaves_the_last_good_configuration() {
    let rig = Rig::new();
    let hook = "case $(cat \"$ENLIST_CONFIGURATION\") in \
                *hang*) sleep 600;; *fail*) exit 3;; *kill*) kill -9 $PPID;; esac";
    let more = json!({"hooks": {"configuration_check": hook, "configuration_timeout_s": 1}});
    let mut device = Device::new(&rig, &more);
    device.start();
    device.state_mode("good");
    eventually("it is in force", || device.mode() == "good");
    for (mode, reason) in [
        ("hang", "hook-timeout"),
        ("fail", "hook-failed"),
        ("kill", "hook-crashed"),
    ] {
        device.state_mode(mode);
        eventually(reason, || {
            device.keep_up();
            device.on_record().to_string().contains(reason)
        });
        eventually("the last good one is back", || device.mode() == "good");
        let status = device.status();
        assert_eq!(status["state"], "enrolled");
        assert_eq!(status["configuration"]["refused"]["reason"], reason);
        assert!(device.log().contains(reason), "{}", device.log());
    }
    device.state_mode("better");
    eventually("the next good one is taken", || device.mode() == "better");
    eventually("the server knows", || {
        device.on_record()["reported"]["configuration"]["refused"].is_null()
    });
}

#[test]
fn a_configuration_by_another_key_is_refused_until_the_device_is_told_to_believe_that_key() {
    let rig = Rig::new();
    let mut device = Device::new(&rig, &json!({}));
    let right = rig.json("enlist get signing -g crashes -o json")["keys"].clone();
    rig.ok("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem");
    let other = rig.ok("openssl pkey -in other.pem -pubout");
    device.set("public_keys", json!([other]));
    device.start();
    device.state_mode("forged");
    eventually("the refusal is on record", || {
        !device.on_record()["reported"]["configuration"]["refused"].is_null()
    });
    assert!(device.mode().is_null(), "{}", device.mode());
    let status = device.status();
    assert_eq!(status["state"], "enrolled");
    let refused = &status["configuration"]["refused"];
    assert_eq!(refused["reason"], "not-signed", "{status}");
    assert!(device.log().contains("not-signed"), "{}", device.log());

    device.set("public_keys", right);
    rig.ok(&format!("kill -HUP {}", device.pid()));
    eventually("it is taken", || device.mode() == "forged");
}

#[test]
fn a_schema_that_refuses_its_own_defaults_reaches_no_device() {
    let rig = Rig::new();
    let mut device = Device::new(&rig, &json!({}));
    device.start();
    device.state_mode("good");
    eventually("it is in force", || device.mode() == "good");
    rig.write(
        "bad.json",
        r#"{"type": "object", "properties":
            {"mode": {"type": "string", "minLength": 9, "default": "usual"}}}"#,
    );
    rig.write("steps.json", "[]");
    let refused = rig.sh("enlist apply schema -g crashes -f bad.json --migrations steps.json");
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.err.contains("/mode"), "{refused:?}");
    device.state_mode("better");
    eventually("it goes on", || device.mode() == "better");
}

#[test]
fn a_clock_that_jumps_ten_years_either_way_keeps_nothing_from_being_renewed() {
    if !enlist_testkit::fakes_time() {
        return;
    }
    let rig = Rig::new();
    let real = rig.url.trim_start_matches("https://");
    let switch = Switch::to(real);
    let mut device = Device::new(&rig, &json!({"server_url": switch.url}));
    let clock = rig.work().join("clock");
    // It is read at each look at the clock, so it must never be seen half-written.
    let set = |jump: &str| {
        rig.write("clock.new", jump);
        std::fs::rename(rig.work().join("clock.new"), &clock).unwrap();
    };
    set("+0d");
    let mut command = rig.command("enlist-agent");
    command
        .args(["run", "-c", "device.json"])
        .envs(enlist_testkit::FAKE_TIME)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1");
    device.start_as(command);
    // So that no connection of before is still on its way.
    eventually("it has polled", || device.log().contains("is in force"));
    for jump in ["+3650d", "-3650d", "+0d"] {
        set(jump);
        // The next handshake is by the clock of now.
        switch.point(real);
        let before = device.certificate();
        device.order_another_key();
        eventually(jump, || device.certificate() != before);
        eventually("the order is done", || {
            let orders = rig.json("enlist get orders device -g crashes -o json");
            let orders = orders.as_array().unwrap().clone();
            orders.iter().all(|order| order["done"] == true)
        });
        assert!(device.is_up(), "{jump}");
    }
    let issued = rig.json("enlist get certificates -g crashes -o json");
    assert_eq!(issued.as_array().unwrap().len(), 4, "and no more than that");
}
