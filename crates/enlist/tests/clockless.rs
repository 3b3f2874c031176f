//! A device whose clock is wrong by decades: libfaketime gives the real agent such a clock.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Ran, Rig};

/// Starts at this time and runs on; only the time of day is wrong, as with a clock without a battery.
fn at(rig: &Rig, time: &str, words: &str) -> Ran {
    let at = enlist_testkit::at_time(&format!("@{time}"));
    rig.sh(&format!("{at} enlist-agent {words}"))
}

fn configured(rig: &Rig, name: &str) {
    rig.ok(&format!(
        "enlist gen-device-config --device-name={name} --enrollment-type=group-enroll \
            --persist={}/{name} -g presses --config-path {name}.json",
        rig.work().display()
    ));
}

fn installed() -> bool {
    enlist_testkit::fakes_time()
}

#[test]
fn with_its_clock_at_1970_or_in_2099_a_device_enrolls_and_renews() {
    if !installed() {
        return;
    }
    let rig = Rig::new();
    rig.ok("enlist add group presses --enrollment open > secret");
    for (name, time) in [
        ("early", "1970-01-01 00:00:05"),
        ("late", "2099-06-01 12:00:00"),
    ] {
        configured(&rig, name);
        let config = format!("-c {name}.json --wait 60");
        let ran = at(&rig, time, &format!("provision {config}"));
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        let serial = |rig: &Rig| {
            let pem = format!("{name}/current/certificate.pem");
            rig.ok(&format!("openssl x509 -in {pem} -noout -serial"))
        };
        let first = serial(&rig);
        let ran = at(&rig, time, &format!("renew {config}"));
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        assert_ne!(serial(&rig), first, "{name}");
        // Again, as after a power cut: the clock begins anew, the device knows better.
        let ran = at(&rig, time, &format!("renew {config}"));
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        let ran = at(&rig, time, &format!("status -c {name}.json"));
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        // Then somebody sets the clock right.
        rig.ok(&format!("enlist-agent renew {config}"));
        rig.ok(&format!("enlist-agent status -c {name}.json"));
    }
}
