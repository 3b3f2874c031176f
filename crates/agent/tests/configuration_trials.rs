//! What comes of a configuration that is taken: versions, the hook, the way back, the log.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "common/statements.rs"]
mod statements;

use enlist_agent::configuration::{Checked, DeviceIs, ResetBy};
use enlist_agent::disk::Disk;
use enlist_signed::Target;
use enlist_wire::ConfigurationNumbers as Numbers;
use serde_json::json;
use statements::*;

#[test]
fn a_schema_version_leads_values_on_and_stepping_back_restores_them() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    device.takes(&us.schema(2, 2, schema_2()));
    assert_eq!(
        device.config(),
        json!({"motor": {"rpm": 1200}, "label": "", "password": "hunter2"})
    );
    let backup = device
        .disk
        .read("configuration/backup-v1/config.json")
        .unwrap();
    assert!(
        String::from_utf8(backup.unwrap())
            .unwrap()
            .contains("\"speed\": 20")
    );
    // Values of the new version replace those of the old.
    device.takes(&us.layered(&layer(Target::Group, 2, 2, json!({"motor": {"rpm": 3000}}))));
    assert_eq!(device.config()["motor"]["rpm"], 3000);
    // A higher statement with the older schema: the values of that time count again.
    let keeper = device.takes(&us.schema(3, 1, schema_1()));
    assert_eq!(
        device.config(),
        json!({"speed": 20, "label": "", "password": "hunter2"})
    );
    let report = keeper.report().unwrap();
    assert_eq!((report.schema_version, report.in_force.group), (1, 1));
    assert_eq!(keeper.numbers().group, 2);
    // And forward once more.
    device.takes(&us.schema(4, 2, schema_2()));
    assert_eq!(device.config()["motor"]["rpm"], 3000);
}

#[test]
fn a_hook_that_fails_or_hangs_brings_the_one_before_back() {
    let us = Signatory::new();
    for (said, slug) in [
        (Checked::Failed("exit status: 3".into()), "hook-failed"),
        (Checked::TookTooLong, "hook-timeout"),
    ] {
        let mut device = Device::configured(&us);
        let before = device.config();
        device.hook = Box::new(move |config| match config["speed"] == 99 {
            true => said.clone(),
            false => Checked::Good,
        });
        device.asked.clear();
        let keeper = device.takes(&us.group(2, json!({"speed": 99})));
        assert_eq!(device.config(), before);
        assert_eq!(reason(&keeper).as_deref(), Some(slug));
        let speeds: Vec<_> = device
            .asked
            .iter()
            .map(|config| config["speed"].clone())
            .collect();
        assert_eq!(speeds, [99, 20], "the hook hears of the way back");
        assert!(device.log().contains(slug));
        // It is not tried again, neither now nor after a restart or when it is offered again.
        device.takes(&us.group(2, json!({"speed": 99})));
        assert_eq!(device.asked.len(), 2);
        assert_eq!(keeper.numbers().group, 2);
        let keeper = device.takes(&us.group(3, json!({"speed": 30})));
        assert_eq!(
            (device.config()["speed"].clone(), reason(&keeper)),
            (json!(30), None)
        );
    }
}

#[test]
fn a_first_configuration_that_fails_leaves_none() {
    let us = Signatory::new();
    let mut device = Device::new(&us);
    device.hook = Box::new(|_| Checked::TookTooLong);
    let keeper = device.takes(&us.schema(1, 1, schema_1()));
    assert_eq!(device.disk.config(), None);
    assert_eq!(reason(&keeper).as_deref(), Some("hook-timeout"));
}

#[test]
fn a_hook_that_takes_the_agent_down_gets_two_attempts() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let before = device.config();
    let mut keeper = device.start();
    keeper.offered(&us.group(2, json!({"speed": 99})), &who(), now());
    device.asked.clear();
    for life in 1..=2 {
        // The power goes while the hook runs: all that is written after it is lost.
        while device.asked.len() < life {
            device.step(&mut keeper);
        }
        drop(keeper);
        keeper = device.start();
    }
    device.rest(&mut keeper);
    assert_eq!(device.config(), before);
    assert_eq!(reason(&keeper).as_deref(), Some("hook-crashed"));
    let speeds: Vec<_> = device
        .asked
        .iter()
        .map(|config| config["speed"].clone())
        .collect();
    assert_eq!(speeds, [99, 99, 20]);
}

#[test]
fn a_reset_goes_back_to_the_defaults_and_only_what_is_stated_later_counts() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    device.takes(&us.device(4, json!({"label": "mine"})));
    let mut keeper = device.start();
    keeper.reset(ResetBy::Button);
    assert!(keeper.is_busy());
    device.rest(&mut keeper);
    assert!(!keeper.is_busy());
    let defaults = json!({"speed": 10, "label": "", "password": ""});
    assert_eq!(device.config(), defaults);
    let report = keeper.report().unwrap();
    assert_eq!(report.because, "reset");
    assert_eq!(
        report.in_force,
        Numbers {
            schema: 1,
            group: 0,
            device: 0
        }
    );
    assert!(device.log().contains("\"who\":\"button\""));
    // What the server still has is nothing new.
    let old = both(
        us.group(1, json!({"speed": 20, "password": "hunter2"})),
        us.device(4, json!({})),
    );
    device.takes(&old);
    assert_eq!(device.config(), defaults);
    // A later layer of the group counts; the device's of before does not come back with it.
    device.takes(&us.group(2, json!({"speed": 55})));
    assert_eq!(
        device.config(),
        json!({"speed": 55, "label": "", "password": ""})
    );
}

#[test]
fn a_request_that_was_left_for_the_agent_is_carried_out_once() {
    let us = Signatory::new();
    for (left, who) in [("\"button\"", "button"), ("garbage", "command-line")] {
        let mut device = Device::configured(&us);
        let request = "configuration/reset-request/by";
        device.disk.inner.write(request, left.as_bytes()).unwrap();
        device.takes(&us.group(2, json!({"speed": 55})));
        // What was stated before the reset is gone; what comes after it counts.
        let after = json!({"speed": 55, "label": "", "password": ""});
        assert_eq!(device.config(), after);
        assert!(device.log().contains(&format!("\"who\":\"{who}\"")));
        let asked = device.asked.len();
        let mut again = device.start();
        device.rest(&mut again);
        assert_eq!((device.config(), device.asked.len()), (after, asked));
    }
}

#[test]
fn a_device_that_becomes_another_goes_by_the_new_ones_statements() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let now_is = DeviceIs {
        group: "lathes".into(),
        ..who()
    };
    let mut given = layer(Target::Group, 1, 1, json!({"speed": 1}));
    given.group = "lathes".parse().unwrap();
    let mut keeper = device.start();
    keeper.offered(&us.layered(&given), &now_is, now());
    device.rest(&mut keeper);
    // Nothing of the old group counts for the new one, and until its schema comes what is in force stays.
    assert_eq!(reason(&keeper).as_deref(), Some("no-schema"));
    assert_eq!(device.config()["speed"], 20);
    assert_eq!(
        keeper.numbers(),
        Numbers {
            schema: 0,
            group: 1,
            device: 0
        }
    );
}

#[test]
fn every_change_is_logged_and_secrets_are_masked() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    device.takes(&us.group(2, json!({"speed": 30, "password": "hunter3"})));
    let log = device.log();
    let last: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["number"] == 3)
        .collect();
    assert_eq!(last.len(), 2, "{log}");
    assert_eq!(
        (&last[0]["what"], &last[0]["from"], &last[0]["to"]),
        (&json!("/password"), &json!("***"), &json!("***"))
    );
    assert_eq!(
        (&last[1]["what"], &last[1]["from"], &last[1]["to"]),
        (&json!("/speed"), &json!(20), &json!(30))
    );
    assert!(last[1]["who"].as_str().unwrap().starts_with("signed by "));
    assert_eq!(last[1]["at"], "2027-01-15T08:00:00Z");
    assert!(!log.contains("hunter"));
    let shown = device.start().masked_values().unwrap();
    assert_eq!(shown, json!({"speed": 30, "label": "", "password": "***"}));
}

#[test]
fn the_log_stays_bounded_and_keeps_the_part_before() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let long = "x".repeat(60_000);
    for version in 2..20_u64 {
        let label = format!("{long}{}", "y".repeat(usize::try_from(version).unwrap()));
        device.takes(&us.group(version, json!({"label": label})));
    }
    let old = device
        .disk
        .read("configuration/changes.log.1")
        .unwrap()
        .unwrap();
    assert!(old.len() <= 256 * 1024 && device.log().len() <= 256 * 1024);
    assert!(!device.log().is_empty());
    // Nor do slots add up.
    let kept = device.disk.list("configuration").unwrap();
    let slots = kept
        .iter()
        .filter(|name| name.parse::<u64>().is_ok())
        .count();
    assert_eq!(slots, 2, "{kept:?}");
}
