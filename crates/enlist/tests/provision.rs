//! `enlist provision` and `enlist refresh certificate`: the same answer, whatever goes wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, mode};

const PROVISION: &str = "enlist provision lamp-1 -g lamps --secret-file secret.txt";

fn rig() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group lamps > secret.txt");
    rig.ok("enlist add device -g lamps lamp-1");
    rig
}

#[test]
fn provisioning_again_gives_the_same_answer() {
    let rig = rig();
    let first = rig.json(&format!("{PROVISION} -o json"));
    let files = [
        "lamp-1_key.pem",
        "lamp-1_token",
        "lamp-1_crt.pem",
        "lamp-1_ca.pem",
    ];
    let kept: Vec<_> = files.iter().map(|name| rig.read(name)).collect();
    for (name, expected) in files.iter().zip([0o600, 0o600, 0o644, 0o644]) {
        assert_eq!(mode(&rig.work().join(name)), expected, "{name}");
    }

    let again = rig.json(&format!("{PROVISION} -o json"));
    assert_eq!(again, first);

    // As after a lost reply, and as after a crash between the two files.
    for lost in [
        &["lamp-1_crt.pem", "lamp-1_ca.pem"][..],
        &["lamp-1_crt.pem"],
    ] {
        for name in lost {
            std::fs::remove_file(rig.work().join(name)).unwrap();
        }
        let after_loss = rig.json(&format!("{PROVISION} -o json"));
        assert_eq!(after_loss, first);
    }
    let now: Vec<_> = files.iter().map(|name| rig.read(name)).collect();
    assert_eq!(now, kept);
    let certificates = rig.json("enlist get certificates -g lamps --device lamp-1 -o json");
    assert_eq!(certificates.as_array().unwrap().len(), 1);
    let secrets = rig.json("enlist get secrets -g lamps -o json");
    assert_eq!(secrets[0]["used"], 1, "not counted again");
}

#[test]
fn provisioning_needs_no_api_token() {
    let rig = rig();
    let server = format!("ENLIST_SERVER={} ENLIST_CA=../data/root.pem", rig.url);
    rig.ok("enlist delete context default");
    rig.ok(&format!("{server} {PROVISION}"));
    rig.ok(&format!(
        "{server} enlist refresh certificate lamp-1 -g lamps"
    ));
    rig.refused(&format!("{server} enlist get devices"), 1, "no-token");
}

#[test]
fn the_secret_may_come_in_three_ways() {
    let rig = rig();
    for number in 2..=4 {
        rig.ok(&format!("enlist add device -g lamps lamp-{number}"));
    }
    rig.ok("enlist provision lamp-2 -g lamps -s \"$(cat secret.txt)\" --out certs/a");
    rig.ok("enlist provision lamp-3 -g lamps -s - --out certs/a < secret.txt");
    rig.ok("enlist provision lamp-4 -g lamps --secret-file secret.txt --key-type ed25519");
    assert_eq!(rig.files("certs/a").len(), 8);
    rig.ok("openssl verify -CAfile lamp-4_ca.pem lamp-4_crt.pem");
}

#[test]
fn leftovers_of_another_device_are_never_overwritten() {
    let rig = rig();
    rig.ok("enlist add group others > others.txt");
    rig.ok("enlist add device -g others lamp-1");
    rig.ok(PROVISION);
    let (key, certificate) = (rig.read("lamp-1_key.pem"), rig.read("lamp-1_crt.pem"));
    let other = "enlist provision lamp-1 -g others --secret-file others.txt";
    rig.refused(other, 1, "leftover-certificate");
    assert_eq!(rig.read("lamp-1_key.pem"), key);
    assert_eq!(rig.read("lamp-1_crt.pem"), certificate);

    // A key that somebody else has put there.
    std::fs::remove_file(rig.work().join("lamp-1_token")).unwrap();
    rig.refused(PROVISION, 1, "leftover-key");
    std::fs::remove_file(rig.work().join("lamp-1_key.pem")).unwrap();
    rig.refused(PROVISION, 1, "leftover-certificate");
    assert_eq!(rig.read("lamp-1_crt.pem"), certificate);
    assert_eq!(
        rig.files(".")
            .iter()
            .filter(|name| name.contains(".tmp"))
            .count(),
        0
    );
}

#[test]
fn another_key_does_not_take_a_device_over() {
    let rig = rig();
    rig.ok(PROVISION);
    let thief = format!("{PROVISION} --out elsewhere");
    rig.refused(&thief, 1, "device-already-enrolled");
    rig.ok("enlist deprovision lamp-1 -g lamps");
    rig.ok(&thief);
    let err = rig.sh(PROVISION).err;
    assert!(err.contains("problem: "), "the first key is out: {err}");
}

#[test]
fn a_group_with_approval_makes_the_device_wait() {
    let rig = Rig::new();
    rig.ok("enlist add group field --enrollment approve > secret.txt");
    let provision = "enlist provision unit-7 -g field --secret-file secret.txt";
    let told = rig.refused(provision, 1, "approval-pending");
    let pending = rig.json("enlist get pending -o json");
    let code = pending[0]["pending"]["code"].as_str().unwrap();
    assert!(told.contains(code), "{told}");
    assert!(rig.ok("enlist get pending").contains(code));
    rig.ok("enlist approve device unit-7 -g field");
    rig.ok(provision);
    rig.ok("openssl verify -CAfile unit-7_ca.pem unit-7_crt.pem");

    rig.refused(
        "enlist provision unit-8 -g field --secret-file secret.txt",
        1,
        "approval-pending",
    );
    rig.ok("enlist reject device unit-8 -g field");
    assert_eq!(
        rig.json("enlist get pending -g field -o json")
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn refresh_renews_onto_a_new_key_and_can_be_run_again() {
    let rig = rig();
    rig.ok(PROVISION);
    let (old_key, token) = (rig.read("lamp-1_key.pem"), rig.read("lamp-1_token"));
    let refresh = "enlist refresh certificate lamp-1 -g lamps";
    for _ in 0..2 {
        let before = rig.read("lamp-1_crt.pem");
        rig.ok(refresh);
        assert_ne!(rig.read("lamp-1_crt.pem"), before);
        rig.ok("openssl verify -CAfile lamp-1_ca.pem lamp-1_crt.pem");
        rig.ok("openssl x509 -in lamp-1_crt.pem -noout -pubkey > a
                openssl pkey -in lamp-1_key.pem -pubout > b && cmp a b");
    }
    assert_ne!(rig.read("lamp-1_key.pem"), old_key);
    assert_eq!(rig.read("lamp-1_token"), token);
    let certificates = rig.json("enlist get certificates -g lamps --device lamp-1 -o json");
    let statuses: Vec<_> = certificates
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == "current")
            .count(),
        1,
        "{statuses:?}"
    );
    let again = rig.sh(PROVISION);
    assert_eq!(again.status, 0);
    assert!(again.err.contains("already"), "{again:?}");
}

/// Runs a command over ways that break later and later, until one lasts.
fn over_breaking_ways(rig: &Rig, command: &str) {
    for bytes in (0..).step_by(400) {
        let way = rig::cut::after(&rig.url, bytes);
        let ran = rig.sh(&format!("ENLIST_SERVER={way} {command}"));
        match ran.status {
            0 => return,
            3 => {}
            _ => panic!("after {bytes} bytes: {ran:?}"),
        }
        assert!(bytes < 100_000, "it never gets through: {ran:?}");
    }
}

#[test]
fn replies_lost_at_any_byte_leave_one_device_and_one_certificate_each_time() {
    let rig = rig();
    over_breaking_ways(&rig, PROVISION);
    let on_record = || {
        let list = rig.json("enlist get certificates -g lamps --device lamp-1 -o json");
        list.as_array().unwrap().len()
    };
    assert_eq!(on_record(), 1);
    over_breaking_ways(&rig, "enlist refresh certificate lamp-1 -g lamps");
    assert_eq!(on_record(), 2);
    let journal: serde_json::Value =
        serde_json::from_str(&rig.read("lamp-1_renewal.json")).unwrap();
    assert_eq!(
        journal,
        serde_json::json!({"schema_version": 1, "counter": 1})
    );
    rig.ok("openssl verify -CAfile lamp-1_ca.pem lamp-1_crt.pem");
    rig.ok("enlist refresh certificate lamp-1 -g lamps");
    let device = rig.json("enlist get device lamp-1 -g lamps -o json");
    assert_eq!(device["state"], "active", "nobody took it for a clone");
}

#[test]
fn a_refresh_that_was_cut_off_between_two_files_is_finished() {
    let rig = rig();
    rig.ok(PROVISION);
    let old: Vec<_> = ["lamp-1_crt.pem", "lamp-1_ca.pem"]
        .map(|name| rig.read(name))
        .into();
    rig.ok("enlist refresh certificate lamp-1 -g lamps");
    let (key, certificate, ca) = (
        rig.read("lamp-1_key.pem"),
        rig.read("lamp-1_crt.pem"),
        rig.read("lamp-1_ca.pem"),
    );
    // The key is in place, the certificate not yet: a pair that does not fit.
    rig.write("lamp-1_crt.pem", &old[0]);
    let journal = serde_json::json!({
        "schema_version": 1,
        "counter": 1,
        "pending": {
            "request": "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10",
            "key_pem": key,
            "answer": {"certificate_pem": certificate, "ca_pem": ca},
        },
    });
    rig.write("lamp-1_renewal.json", &journal.to_string());
    rig.ok(PROVISION);
    assert_eq!(rig.read("lamp-1_crt.pem"), certificate);
    assert_eq!(rig.read("lamp-1_key.pem"), key);
    rig.ok("enlist refresh certificate lamp-1 -g lamps");
}

#[test]
fn two_runs_at_once_do_not_look_like_two_devices() {
    let rig = rig();
    rig.ok(PROVISION);
    let token = std::fs::File::open(rig.work().join("lamp-1_token")).unwrap();
    token.lock().unwrap();
    let refresh = "enlist refresh certificate lamp-1 -g lamps";
    rig.refused(refresh, 1, "busy");
    rig.refused(PROVISION, 1, "busy");
    drop(token);
    rig.ok(&format!("{refresh} & {refresh} & wait; {refresh}"));
    let device = rig.json("enlist get device lamp-1 -g lamps -o json");
    assert_eq!(device["state"], "active");
    let events = rig.ok("enlist get events -o csv");
    assert!(!events.contains("clone"), "{events}");
}

#[test]
fn a_suspended_device_is_told_so_and_comes_back() {
    let rig = rig();
    rig.ok(PROVISION);
    rig.ok("enlist suspend device lamp-1 -g lamps --reason 'looked odd'");
    let certificates = rig.json("enlist get certificates -g lamps -o json");
    assert_eq!(certificates[0]["status"], "held");
    let refresh = "enlist refresh certificate lamp-1 -g lamps";
    rig.refused(refresh, 1, "device-suspended");
    rig.refused(PROVISION, 1, "device-suspended");
    rig.ok("enlist resume device lamp-1 -g lamps");
    rig.ok(refresh);
    rig.refused(
        "enlist resume device lamp-1 -g lamps",
        1,
        "invalid-transition",
    );
}

#[test]
fn a_deleted_device_stays_out_until_it_is_allowed_back_once() {
    let rig = rig();
    rig.ok(PROVISION);
    rig.ok("enlist delete device lamp-1 -g lamps");
    let gone = rig.refused("enlist get device lamp-1 -g lamps", 1, "device-not-found");
    assert!(
        gone.contains("no device `lamp-1` in group `lamps`"),
        "{gone}"
    );
    let out = rig.refused(PROVISION, 1, "tombstoned");
    assert!(
        out.contains("`enlist allow-reenroll device lamp-1 -g lamps`"),
        "{out}"
    );
    rig.refused("enlist add device lamp-1 -g lamps", 1, "tombstoned");
    let certificates = rig.json("enlist get certificates -o json");
    assert_eq!(certificates[0]["status"], "revoked", "kept on record");
    rig.ok("enlist allow-reenroll device lamp-1 -g lamps");
    rig.ok(&format!("{PROVISION} --out new"));
}

#[test]
fn a_decommissioned_device_is_out_for_good() {
    let rig = rig();
    rig.ok(PROVISION);
    rig.ok("enlist decommission device lamp-1 -g lamps");
    let device = rig.json("enlist get device lamp-1 -g lamps -o json");
    assert_eq!(device["state"], "decommissioning");
    rig.ok("enlist decommission device lamp-1 -g lamps --give-up");
    let refresh = "enlist refresh certificate lamp-1 -g lamps";
    let refused = rig.sh(refresh);
    assert_eq!(refused.status, 1, "{refused:?}");
    rig.ok("enlist allow-reenroll device lamp-1 -g lamps");
    rig.ok(&format!("{PROVISION} --out new"));
}

#[test]
fn a_deprovisioned_device_is_provisioned_again_with_another_key() {
    let rig = Rig::new();
    rig.ok("enlist add group pumps --enrollment open > secret.txt");
    let provision = "enlist provision pump-1 -g pumps -s \"$(cat secret.txt)\"";
    rig.ok(provision);
    let (key, token) = (rig.read("pump-1_key.pem"), rig.read("pump-1_token"));
    rig.ok("enlist deprovision pump-1 -g pumps");
    rig.ok(provision);
    assert_ne!(rig.read("pump-1_key.pem"), key);
    assert_ne!(rig.read("pump-1_token"), token);
    rig.ok("openssl verify -CAfile pump-1_ca.pem pump-1_crt.pem");
}
