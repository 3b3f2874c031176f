//! A fleet changes its database: to PostgreSQL and back, into a backup and out of it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod by_hand;
#[path = "../rig/mod.rs"]
mod rig;

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use enlist_core::{Rng, SystemRng};
use enlist_testkit::Postgres;
use rig::kill::configuration_with;
use rig::{Ran, Rig, mode};
use serde_json::json;

const URL: &str = "ENLIST_DATABASE_URL";
const ORDER: &str = "enlist refresh certificate lamp -g crashes --rekey";
const HEAD: &str = "--key audit.pem --save-head head.json";

/// A server with a group that lets everybody in, and a device with an agent for each name.
fn with_devices(names: &[&str]) -> Rig {
    let mut rig = Rig::new();
    // Wherever the suite is told: these stories are about both engines.
    if enlist_testkit::own_database().is_some() {
        rig.kill();
        std::fs::remove_dir_all(rig.data()).unwrap();
        rig.set_environment(URL, None);
        rig.start();
        rig.ok(&format!(
            "enlist login --server {} --ca ../data/root.pem --token-file ../data/admin.token",
            rig.url
        ));
    }
    let secret = rig.ok("enlist add group crashes --enrollment open > secret.txt; cat secret.txt");
    for name in names {
        configuration_with(&rig, name, secret.trim(), &json!({"single_check": true}));
        rig.ok(&format!("enlist-agent provision -c {name}.json"));
    }
    rig.ok("enlist get audit-key > audit.pem");
    rig
}

/// Each device that is on record, by name.
fn devices(rig: &Rig) -> Vec<String> {
    let found = rig.json("enlist get devices -g crashes -o json");
    let names = found.as_array().unwrap().iter();
    names
        .map(|device| device["name"].as_str().unwrap().to_owned())
        .collect()
}

fn renew(rig: &Rig, name: &str) -> Ran {
    rig.sh(&format!("enlist-agent renew -c {name}.json"))
}

fn events(rig: &Rig, kind: &str) -> Vec<serde_json::Value> {
    let all = rig.json("enlist get events -o json");
    let all = all.as_array().unwrap().iter();
    all.filter(|event| event["kind"] == kind).cloned().collect()
}

fn random(from: u64, to: u64) -> u64 {
    let mut bytes = [0; 8];
    SystemRng.fill(&mut bytes);
    from + u64::from_ne_bytes(bytes) % (to - from)
}

#[test]
fn a_fleet_moves_to_postgresql_and_back_and_no_device_notices() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("moved");
    let mut rig = with_devices(&["lamp-1", "lamp-2"]);
    rig.ok("enlist add devices -g crashes --count 500 --prefix made-");
    rig.ok("enlist export events --out before.jsonl");
    rig.ok(&format!("enlist verify events before.jsonl {HEAD}"));
    let before = devices(&rig);

    let there =
        format!("ENLIST_MIGRATE_TO='{url}&password=hunter2' enlist migrate --from sqlite:../data");
    let ran = rig.sh(&there);
    assert!(ran.status == 1 && ran.err.contains("in use"), "{ran:?}");
    rig.kill();
    let ran = rig.sh(&format!("{there} -o json"));
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"));
    assert!(ran.err.contains("wrapping key"), "{ran:?}");
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["resumed_at"], 0);
    let row = |table: &str| {
        let tables = told["tables"].as_array().unwrap();
        let found = tables.iter().find(|row| row["table"] == table);
        found.unwrap()["rows"].as_u64().unwrap()
    };
    assert_eq!((row("devices"), row("credentials")), (502, 2));
    let ran = rig.sh(&there);
    assert!(
        ran.status == 1 && ran.err.contains("holds a record already"),
        "{ran:?}"
    );

    rig.set_environment(URL, Some(url.clone()));
    rig.start();
    assert_eq!(devices(&rig), before);
    let ran = renew(&rig, "lamp-1");
    assert_eq!(ran.status, 0, "with the certificate of before: {ran:?}");
    rig.ok("enlist provision newcomer -g crashes -s \"$(cat secret.txt)\"");
    let ran = rig.sh(&format!(
        "ENLIST_DATABASE_URL='{url}' enlist backup --to of-postgres.backup"
    ));
    assert!(
        ran.status == 0 && ran.err.contains("the server's wrapping key"),
        "{ran:?}"
    );
    rig.ok("enlist export events --out between.jsonl");
    rig.ok(&format!(
        "enlist verify events between.jsonl --head head.json {HEAD}"
    ));

    rig.kill();
    let back = format!("enlist migrate --from '{url}' --to sqlite:../back");
    let table = rig.ok(&back);
    assert!(table.contains("certificates"), "{table}");
    rig.ok("cp ../data/wrapping.key ../back && mv ../data ../old && mv ../back ../data");
    rig.set_environment(URL, None);
    rig.start();
    for name in ["lamp-1", "lamp-2"] {
        let ran = renew(&rig, name);
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
    }
    assert_eq!(devices(&rig).len(), before.len() + 1);
    rig.ok("enlist export events --out after.jsonl");
    rig.ok(&format!(
        "enlist verify events after.jsonl --head head.json {HEAD}"
    ));
}

#[test]
fn killed_at_random_moments_a_copy_goes_on_and_is_the_same_in_the_end() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("killed");
    let mut rig = with_devices(&["lamp"]);
    rig.ok("enlist add devices -g crashes --count 40000 --prefix made-");
    rig.kill();
    let undisturbed = postgres.database("undisturbed");
    for (from, to, beside) in [
        ("sqlite:../data", &*url, &*undisturbed),
        (&*url, "sqlite:../back", "sqlite:../beside"),
    ] {
        // Twelve are killed, each well before all would be done.
        let begun = Instant::now();
        rig.ok(&format!("enlist migrate --from '{from}' --to '{beside}'"));
        let takes = u64::try_from(begun.elapsed().as_millis()).unwrap();
        let mut kills = 0;
        let told = loop {
            let mut command = rig.command(rig::ENLIST);
            command.args(["migrate", "--from", from, "--to", to, "-o", "json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut copy = command.spawn().unwrap();
            if kills < 12 {
                std::thread::sleep(Duration::from_millis(random(takes / 40, takes / 8)));
                copy.kill().unwrap();
            }
            let ran = Ran::of(&copy.wait_with_output().unwrap());
            if ran.status == 0 {
                break Some(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap());
            }
            // Killed between its last commit and its last word: the digests below tell whether all is there.
            if kills > 0 && ran.err.contains("holds a record already") {
                break None;
            }
            assert_eq!(ran.status, -1, "it was not killed: {ran:?}");
            kills += 1;
        };
        assert!(kills >= 3, "too quick to be disturbed: {kills}");
        if let Some(told) = told {
            assert!(told["rows"].as_u64().unwrap() > 40_000);
        }
    }
    // The digests of both ways are the same: nothing was lost, doubled or changed on either.
    let ran = rig.json("enlist backup --data ../data --to a.backup -o json");
    let back = rig.json("enlist backup --data ../back --to b.backup -o json");
    assert_eq!(ran["sha256"], back["sha256"]);
}

#[test]
fn no_server_starts_on_half_a_copy() {
    let mut rig = with_devices(&["lamp"]);
    rig.ok("enlist add devices -g crashes --count 40000 --prefix made-");
    rig.kill();
    let copy = "enlist migrate --from sqlite:../data --to sqlite:../half";
    let mut child = rig
        .command("sh")
        .args(["-c", &format!("exec {copy} >/dev/null 2>&1")])
        .spawn()
        .unwrap();
    let log = rig.work().join("../half/enlist.db-wal");
    rig::eventually("something is there", || {
        log.metadata().is_ok_and(|found| found.len() > 3_000_000)
    });
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was too quick");
    let ran = rig.sh("timeout 60 enlist serve --data ../half --listen 127.0.0.1:0");
    assert!(
        ran.status == 1 && ran.err.contains("unfinished copy"),
        "{ran:?}"
    );
    assert!(ran.err.contains("enlist migrate"), "{ran:?}");
    // Nor does a backup of it make it whole.
    for script in [
        "enlist backup --data ../half --to half.backup",
        "enlist migrate --from sqlite:../half --to sqlite:../other",
    ] {
        let ran = rig.sh(script);
        assert!(
            ran.status == 1
                && ran
                    .err
                    .contains("unfinished copy, made by `enlist migrate`"),
            "{ran:?}"
        );
    }
    by_hand::broken_off(&rig);
    rig.ok(copy);
    rig.ok("cp ../data/wrapping.key ../half && mv ../data ../old && mv ../half ../data");
    rig.start();
    assert_eq!(renew(&rig, "lamp").status, 0);
}

#[test]
fn a_backup_has_everything_that_was_answered_before_it_and_a_server_goes_on_from_it() {
    let mut rig = with_devices(&["lamp"]);
    let (told, full) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let (before, after) = std::thread::scope(|scope| {
        for hand in 0..3 {
            let (rig, told, full) = (&rig, &told, &full);
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("d-{hand}-{number}");
                    rig.ok(&format!(
                        "enlist provision {name} -g crashes -s \"$(cat secret.txt)\" --out hand-{hand}"
                    ));
                    told.lock().unwrap().push(name);
                    if full.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        rig::eventually("some are in", || told.lock().unwrap().len() > 9);
        let before = told.lock().unwrap().clone();
        let ran = rig.sh("enlist backup --data ../data --to one.backup");
        let after = told.lock().unwrap().len();
        full.store(true, Ordering::SeqCst);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.err.contains("wrapping.key"), "{ran:?}");
        (before, after)
    });
    assert!(after >= before.len());
    assert_eq!(mode(&rig.work().join("one.backup")), 0o600);
    rig.refused(
        "enlist backup --data ../data --to one.backup",
        1,
        "file-exists",
    );
    let ran = rig.sh("enlist verify backup one.backup");
    assert!(
        ran.status == 0 && ran.err.contains("Nothing is wrong"),
        "{ran:?}"
    );
    let leftover: Vec<_> = rig
        .files(".")
        .into_iter()
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(leftover.is_empty(), "{leftover:?}");
    rig.ok("enlist provision too-late -g crashes -s \"$(cat secret.txt)\"");

    rig.kill();
    let ran = rig.sh("enlist restore --from one.backup --data ../data");
    assert!(
        ran.status == 1 && ran.err.contains("holds a record already"),
        "{ran:?}"
    );
    rig.ok("enlist restore --from one.backup --data ../new");
    // Without its wrapping key it is of no use.
    let ran = rig.sh("enlist serve --data ../new --listen 127.0.0.1:0");
    assert!(ran.status == 1 && ran.err.contains("wrapping"), "{ran:?}");
    rig.ok("cp ../data/wrapping.key ../new && mv ../data ../old && mv ../new ../data");
    rig.start();
    let there = devices(&rig);
    for name in &before {
        assert!(there.contains(name), "{name}");
    }
    assert!(!there.contains(&"too-late".to_owned()));
    assert_eq!(renew(&rig, "lamp").status, 0);
    assert_eq!(events(&rig, "record-restored").len(), 1);
    rig.ok("enlist export events --out after.jsonl");
    rig.ok(&format!("enlist verify events after.jsonl {HEAD}"));
}

#[test]
fn a_device_that_is_ahead_of_a_restored_record_is_known_again_and_its_clone_is_not() {
    let mut rig = with_devices(&["lamp", "idle"]);
    rig.ok("enlist backup --data ../data --to one.backup");
    // A thief copies the device, which goes on.
    rig.ok("cp -r lamp.state thief.state; sed s/lamp.state/thief.state/ lamp.json > thief.json");
    // Certificates tell times in seconds.
    std::thread::sleep(Duration::from_millis(1_200));
    for _ in 0..2 {
        assert_eq!(renew(&rig, "lamp").status, 0);
    }
    // An order is given and taken, too.
    rig.ok(ORDER);
    rig.ok("enlist-agent run -c lamp.json");
    assert_eq!(events(&rig, "order-done").len(), 1);
    rig.kill();
    rig.ok("enlist restore --from one.backup --data ../new");
    rig.ok("cp ../data/wrapping.key ../new && mv ../data ../old && mv ../new ../data");
    rig.start();

    let ran = renew(&rig, "lamp");
    assert_eq!(ran.status, 0, "{ran:?}");
    let adopted = events(&rig, "certificate-adopted");
    assert_eq!(adopted.len(), 1, "{adopted:?}");
    assert!(events(&rig, "clone-suspected").is_empty());
    let ran = renew(&rig, "thief");
    assert_ne!(ran.status, 0, "{ran:?}");
    let (lamp, idle) = (renew(&rig, "lamp"), renew(&rig, "idle"));
    assert_eq!((lamp.status, idle.status), (0, 0), "{lamp:?} {idle:?}");
    assert_eq!(events(&rig, "certificate-adopted").len(), 1);

    // The next order is numbered past those that the device has taken, and is taken.
    rig.ok("enlist-agent run -c lamp.json");
    rig.ok(ORDER);
    rig.ok("enlist-agent run -c lamp.json");
    assert_eq!(events(&rig, "order-done").len(), 1);
}
