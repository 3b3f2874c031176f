//! `enlist add secret` and its bounds, as they are shown, used and taken back.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::sync::atomic::{AtomicBool, Ordering};

use rig::Rig;
use rig::applicants::Applicants;
use serde_json::json;

fn lamps() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group lamps --enrollment open --no-secret");
    rig
}

#[test]
fn every_bound_is_shown_and_what_was_used_counts() {
    let rig = lamps();
    rig.write("batch.csv", "named\nlamp-1\nlamp-2\nlamp-3\n");
    rig.ok("enlist import manifest batch-7 batch.csv");
    rig.ok(
        "enlist add secret -g lamps --label line-4 --expires 30d --max-devices 2 --rate 100/h \
            --network 127.0.0.0/8 --network 2001:db8::/32 --manifest batch-7 > secret.txt",
    );
    let secret = rig.read("secret.txt");
    assert!(
        secret.starts_with("eps_") && secret.lines().count() == 1,
        "{secret}"
    );
    let shown = || rig.json("enlist get secrets -g lamps -o json")[0].clone();
    let new = shown();
    assert_eq!((&new["used"], &new["max_devices"]), (&0.into(), &2.into()));
    assert_eq!(new["rate"], json!({"devices": 100, "per_s": 3600}));
    assert_eq!(new["networks"], json!(["127.0.0.0/8", "2001:db8::/32"]));
    assert_eq!(
        (&new["label"], &new["manifest"]),
        (&"line-4".into(), &"batch-7".into())
    );
    assert!(
        new["expires_at"].is_string() && new["state"] == "active",
        "{new}"
    );
    let short_id = new["short_id"].as_str().unwrap();
    assert!(secret.contains(short_id), "{short_id}");

    let provision = |name: &str| {
        let own = format!("{name} --hardware named:{name}");
        format!("enlist provision {own} -g lamps -s $(cat secret.txt)")
    };
    rig.refused(&provision("lamp-9"), 1, "manifest-not-listed");
    rig.ok(&provision("lamp-1"));
    rig.ok(&provision("lamp-1"));
    assert_eq!(
        shown()["used"],
        1,
        "once for a device, however often it asks"
    );
    rig.ok(&provision("lamp-2"));
    rig.refused(&provision("lamp-3"), 1, "secret-used-up");
    assert_eq!(
        (&shown()["used"], &shown()["state"]),
        (&2.into(), &"used-up".into())
    );
    for format in ["table", "csv"] {
        let text = rig.ok(&format!("enlist get secrets -g lamps -o {format}"));
        for part in [
            "line-4",
            "used-up",
            "100/h",
            "127.0.0.0/8 2001:db8::/32",
            "batch-7",
            short_id,
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains(secret.trim()), "{text}");
    }
    // A day later it would be another refusal; from elsewhere it is one now.
    rig.ok("enlist add secret -g lamps --network 10.0.0.0/8 > secret.txt");
    rig.refused(&provision("lamp-4"), 1, "secret-network");
    rig.ok("enlist add secret -g lamps --expires-in 1 > secret.txt; sleep 1.1");
    rig.refused(&provision("lamp-4"), 1, "secret-expired");
    rig.ok("enlist add secret -g lamps --rate 1/d > secret.txt");
    rig.ok(&provision("lamp-4"));
    let err = rig.refused(&provision("lamp-5"), 1, "secret-rate");
    assert!(err.contains("try: again in"), "{err}");
}

#[test]
fn a_secret_that_is_deleted_in_use_lets_in_nobody_more_and_nobody_goes() {
    let rig = lamps();
    let secret = rig.ok("enlist add secret -g lamps --label line-4");
    let applicants = Applicants::new(&rig, "lamps", &secret);
    let gone = AtomicBool::new(false);
    let at_work = |from: usize| {
        let (applicants, gone) = (&applicants, &gone);
        move || {
            let (mut inside, mut refused) = (0, 0);
            for n in 0.. {
                let was_gone = gone.load(Ordering::SeqCst);
                match applicants.ask(&applicants.request(&format!("lamp-{from}-{n}"))) {
                    Ok(is_in) => {
                        assert!(is_in && !was_gone, "let in after it was taken back");
                        inside += 1;
                    }
                    Err(slug) => {
                        assert_eq!(slug, "secret-withdrawn");
                        refused += 1;
                    }
                }
                if refused == 3 {
                    break;
                }
            }
            inside
        }
    };
    let inside: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=3).map(|from| scope.spawn(at_work(from))).collect();
        rig::eventually("some are in", || {
            rig.json("enlist get secrets -g lamps -o json")[0]["used"].as_u64() > Some(5)
        });
        rig.ok("enlist delete secret -g lamps line-4");
        gone.store(true, Ordering::SeqCst);
        threads.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let devices = rig.json("enlist get devices -g lamps -o json");
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), inside);
    assert!(devices.iter().all(|one| one["state"] == "active"));
    let taken_back = rig.json("enlist get secrets -g lamps -o json")[0].clone();
    assert_eq!(
        (&taken_back["state"], &taken_back["used"]),
        (&"revoked".into(), &inside.into())
    );
}

#[test]
fn a_label_means_the_one_that_is_good_and_never_one_of_two() {
    let rig = lamps();
    let delete = "enlist delete secret -g lamps line-4";
    rig.refused(delete, 1, "not-found");
    for _ in 0..2 {
        rig.ok("enlist add secret -g lamps --label line-4");
        rig.ok(delete);
    }
    rig.ok("enlist add secret -g lamps --label line-4");
    rig.ok("enlist add secret -g lamps --label line-4");
    let err = rig.refused(delete, 1, "ambiguous");
    assert!(err.contains("enlist get secrets"), "{err}");
    let secrets = rig.json("enlist get secrets -g lamps -o json");
    let good = secrets
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "active");
    let good: Vec<_> = good.map(|one| one["short_id"].as_str().unwrap()).collect();
    assert_eq!(good.len(), 2, "{secrets}");
    rig.ok(&format!("enlist delete secret -g lamps {}", good[0]));
    rig.ok(delete);
}

#[test]
fn bounds_that_make_no_sense_are_refused_and_said_how_to_write() {
    let rig = lamps();
    for (words, status, said) in [
        ("--max-devices 0", 1, "more than 0"),
        ("--max-devices many", 2, "--max-devices"),
        ("--expires 0", 1, "more than 0"),
        ("--expires 1w", 2, "such as 90m or 30d"),
        ("--rate 100", 2, "such as 100/h"),
        ("--rate 5/0s", 2, "such as 100/h"),
        ("--network 10.0.0.1/8", 2, "did you mean `10.0.0.0/8`"),
        ("--network plant", 2, "--network"),
        ("--manifest none", 1, "enlist get manifests"),
    ] {
        let ran = rig.sh(&format!("enlist add secret -g lamps {words}"));
        assert_eq!((ran.status, ran.out.as_str()), (status, ""), "{ran:?}");
        assert!(ran.err.contains(said), "{words}: {ran:?}");
    }
    rig.refused("enlist add secret -g none", 1, "group-not-found");
    assert_eq!(rig.json("enlist get secrets -g lamps -o json"), json!([]));
}

#[test]
fn a_secret_is_replaced_by_one_that_is_no_wider_and_that_is_said() {
    let rig = lamps();
    let refresh = "enlist refresh provision-secret lamps";
    rig.refused(refresh, 1, "secret-not-found");
    rig.ok("enlist add secret -g lamps --label line-4 --max-devices 2 --expires 1s; sleep 1.1");
    let ran = rig.sh(refresh);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.starts_with("eps_"), "{ran:?}");
    for said in ["(`line-4`)", "for up to 2 devices, until 20"] {
        assert!(ran.err.contains(said), "{said}: {ran:?}");
    }
    let ran = rig.sh("enlist add secret -g lamps --label loose");
    assert!(ran.err.contains("It has no bounds"), "{ran:?}");
    rig.ok("enlist add secret -g lamps --label line-5 --rate 5/m");
    rig.refused(refresh, 1, "secret-ambiguous");
    let ran = rig.sh(&format!("{refresh} line-5 --overlap 0"));
    assert!(ran.status == 0 && ran.err.contains("at 5/m"), "{ran:?}");
    // The old one of that label has expired, and is not what is meant.
    rig.ok("enlist delete secret -g lamps line-5");
    let shown = rig.json("enlist get secrets -g lamps -o json");
    let states = shown.as_array().unwrap().iter();
    let states = states.filter(|one| one["label"] == "line-5");
    let states: Vec<_> = states.map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["expired", "revoked"]);
}

#[test]
fn a_configuration_file_holds_the_secret_that_it_is_given_or_one_that_is_bounded() {
    let rig = lamps();
    let generate = "enlist gen-device-config --device-name=lamp -g lamps --persist=/p --force \
        --enrollment-type";
    let held = || {
        let config: serde_json::Value = serde_json::from_str(&rig.read("config.json")).unwrap();
        config["device_enrollment_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let ran = rig.sh(&format!("{generate}=group-enroll"));
    assert!(ran.err.contains("It has no bounds"), "{ran:?}");
    let ran = rig.sh(&format!(
        "{generate}=group-enroll --max-devices 5 --network 10.0.0.0/8"
    ));
    assert!(
        ran.err.contains("for up to 5 devices, from 10.0.0.0/8"),
        "{ran:?}"
    );
    let made = rig.json("enlist get secrets -g lamps -o json");
    assert_eq!(made.as_array().unwrap().len(), 2);
    assert_eq!(
        (&made[1]["label"], &made[1]["max_devices"]),
        (&"lamp".into(), &5.into())
    );
    assert!(held().contains(made[1]["short_id"].as_str().unwrap()));

    rig.ok("enlist add secret -g lamps --label line-4 > line-4.secret");
    let given = rig.read("line-4.secret");
    rig.ok(&format!(
        "{generate}=group-enroll --secret-file line-4.secret"
    ));
    assert_eq!(held(), given.trim());
    rig.ok(&format!("{generate}=group-enroll"));
    assert_ne!(held(), given.trim());
    rig.ok(&format!(
        "{generate}=group-enroll --secret-file - < line-4.secret"
    ));
    assert_eq!(held(), given.trim());
    let secrets = rig.json("enlist get secrets -g lamps -o json");
    assert_eq!(secrets.as_array().unwrap().len(), 4, "none for those given");

    for (words, status, said) in [
        (
            "group-enroll --secret-file line-4.secret --rate 5/m",
            2,
            "--secret-file",
        ),
        ("group-enroll --secret-file none", 1, "file-missing"),
        (
            "group-enroll --secret-file config.json",
            1,
            "no provisioning secret",
        ),
        ("zero-touch --max-devices 5", 1, "invalid-request"),
        (
            "pre-enroll --secret-file line-4.secret",
            1,
            "invalid-request",
        ),
    ] {
        let ran = rig.sh(&format!("{generate}={words}"));
        assert_eq!(ran.status, status, "{words}: {ran:?}");
        assert!(ran.err.contains(said), "{words}: {ran:?}");
    }
    assert_eq!(held(), given.trim());
}
