//! `enlist add hook` and the flags of groups: who is asked about newcomers, and where they go.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use enlist_testkit::{Answer, Receiver};
use rig::{Rig, free_port};
use serde_json::{Value, json};

/// A server with the open groups `intake`, `plant-a` and `plant-b`; the secret of the first is in a file.
fn plants() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group intake --enrollment open > secret.txt
            enlist add group plant-a --enrollment open --no-secret
            enlist add group plant-b --enrollment open --no-secret");
    rig
}

fn provision(name: &str) -> String {
    format!("enlist provision {name} -g intake -s $(cat secret.txt)")
}

/// How many devices are in a group.
fn count(rig: &Rig, group: &str) -> usize {
    let devices = rig.json(&format!("enlist get devices -g {group} -o json"));
    devices.as_array().unwrap().len()
}

#[test]
fn a_hook_is_tried_asked_given_another_secret_and_taken_away() {
    let rig = plants();
    let hook = Receiver::start(|asked| {
        let answer = match asked.json()["name"].as_str() {
            Some("stray") => json!({"allow": false, "reason": "no order", "tell": true}),
            Some("pump") => json!({"allow": true, "group": "plant-a", "name": "pump-9"}),
            _ => json!({"allow": true, "group": "plant-a", "labels": {"order": "4711"}}),
        };
        Answer::Body(200, answer.to_string().into_bytes())
    });
    rig.write("hook-ca.pem", hook.ca_pem());
    let url = hook.url();
    let add = format!("enlist add hook -g intake --url {url} --ca hook-ca.pem --timeout 2.5");
    let secret = rig.ok(&add);
    assert!(
        secret.starts_with("whsec_") && secret.lines().count() == 1,
        "{secret}"
    );
    rig.refused(&add, 1, "name-taken");
    let answer = rig.json("enlist test hook -g intake -o json");
    assert_eq!(
        (&answer["allow"], &answer["group"]),
        (&true.into(), &"plant-a".into())
    );
    assert_eq!(hook.received()[0].json()["type"], "test");
    assert_eq!(count(&rig, "plant-a"), 0, "a test lets nobody in");
    let shown = rig.json("enlist get hooks -o json");
    assert_eq!(
        (&shown[0]["group"], &shown[0]["timeout_ms"]),
        (&"intake".into(), &2500.into())
    );
    assert!(rig.ok("enlist get hooks").contains(&url));

    let ran = rig.sh(&provision("press-1"));
    assert_eq!(ran.status, 0, "{ran:?}");
    let said = "from now on it is `press-1` of group `plant-a`";
    assert!(ran.err.contains(said), "{ran:?}");
    rig.ok("openssl verify -CAfile press-1_ca.pem press-1_crt.pem");
    // As what it has become it is known here too, by where it asked and by where it is.
    let again = rig.sh(&provision("press-1"));
    assert_eq!(again.status, 0, "{again:?}");
    let said = "Device `press-1` is provisioned already";
    assert!(again.err.contains(said), "{again:?}");
    rig.ok("enlist refresh certificate press-1 -g plant-a");
    rig.ok(&provision("press-1"));
    rig.refused(
        "enlist provision press-1 -g plant-b -s $(cat secret.txt)",
        1,
        "leftover-certificate",
    );
    // One that was given another name keeps its files.
    rig.ok(&provision("pump"));
    rig.ok("openssl verify -CAfile pump_ca.pem pump_crt.pem");
    rig.ok("enlist get device pump-9 -g plant-a");
    rig.ok("enlist refresh certificate pump -g intake");
    rig.ok("enlist refresh certificate pump -g plant-a");
    let there = rig.json("enlist get device press-1 -g plant-a -o json");
    assert_eq!(there["labels"]["order"], "4711");
    let err = rig.refused(&provision("stray"), 1, "hook-refused");
    assert!(err.contains("no order"), "{err}");
    let other = rig.ok("enlist refresh hook -g intake --overlap 1h");
    assert_ne!(other, secret);
    assert!(rig.json("enlist get hooks -o json")[0]["old_secret_until"].is_string());

    rig.ok("enlist delete hook -g intake");
    rig.ok(&provision("stray"));
    for gone in [
        "test hook -g intake",
        "refresh hook -g intake",
        "delete hook -g intake",
    ] {
        let err = rig.refused(&format!("enlist {gone}"), 1, "hook-not-found");
        assert!(err.contains("try: `enlist get hooks`"), "{err}");
    }
}

#[test]
fn a_hook_that_gives_no_answer_lets_nobody_in_and_a_test_says_why() {
    let rig = plants();
    let url = format!("https://127.0.0.1:{}/", free_port());
    rig.ok(&format!(
        "enlist add hook -g intake --url {url} --timeout 1"
    ));
    let err = rig.refused("enlist test hook -g intake", 1, "hook-unavailable");
    assert!(err.contains("connect"), "{err}");
    rig.refused("enlist test hook -g intake -o json", 1, "hook-unavailable");
    let err = rig.refused(&provision("press-1"), 1, "hook-unavailable");
    assert!(err.contains("try: again in"), "{err}");
    assert_eq!(count(&rig, "intake"), 0);
    for (words, status, said) in [
        ("-g plant-a --url http://127.0.0.1/", 1, "https://"),
        ("-g plant-a --url nonsense", 1, "https://"),
        ("-g none --url https://127.0.0.1/", 1, "enlist get groups"),
        (
            "-g plant-a --url https://127.0.0.1/ --timeout 60",
            2,
            "from 0.1 to 10 seconds",
        ),
        (
            "-g plant-a --url https://127.0.0.1/ --ca secret.txt",
            1,
            "BEGIN CERTIFICATE",
        ),
        ("-g plant-a", 2, "--url"),
    ] {
        let ran = rig.sh(&format!("enlist add hook {words}"));
        assert_eq!((ran.status, ran.out.as_str()), (status, ""), "{ran:?}");
        assert!(ran.err.contains(said), "{words}: {ran:?}");
    }
    assert_eq!(
        rig.json("enlist get hooks -o json")
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn newcomers_go_where_their_group_passes_them_on() {
    let rig = plants();
    let set = |words: &str| -> Value {
        rig.json(&format!(
            "enlist set group intake --allocate {words} -o json"
        ))
    };
    let group = set("least-filled:plant-a,plant-b");
    assert_eq!(
        group["allocation"],
        json!({"by": "least-filled", "groups": ["plant-a", "plant-b"]})
    );
    for n in 1..=4 {
        rig.ok(&provision(&format!("press-{n}")));
    }
    assert_eq!((count(&rig, "plant-a"), count(&rig, "plant-b")), (2, 2));
    assert_eq!(count(&rig, "intake"), 0);
    // Those that an operator has created go by their label.
    let group = set("label:region --allocate-default plant-b");
    assert_eq!(group["allocation"]["default"], "plant-b");
    rig.ok("enlist add device -g intake pump-1 -l region=plant-a");
    rig.ok(&provision("pump-1"));
    rig.ok("enlist get device pump-1 -g plant-a");
    rig.ok(&provision("pump-2"));
    rig.ok("enlist get device pump-2 -g plant-b");
    let group = set("weighted:plant-a=3,plant-b");
    assert_eq!(
        group["allocation"]["groups"][1],
        json!({"group": "plant-b", "weight": 1})
    );
    assert!(set("none")["allocation"].is_null());
    rig.ok(&provision("pump-3"));
    assert_eq!(count(&rig, "intake"), 1);
}

#[test]
fn rules_that_can_not_hold_are_refused_and_change_nothing() {
    let rig = plants();
    let shown = || rig.ok("enlist get groups -o json");
    let before = shown();
    for (words, slug, said) in [
        ("", "invalid-request", "enlist set group --help"),
        (
            "--allocate hash:none",
            "group-not-found",
            "enlist get groups",
        ),
        ("--allocate hash:intake", "invalid-request", "to itself"),
        (
            "--allocate hash:plant-a,plant-a",
            "invalid-request",
            "each group once",
        ),
        (
            "--allocate weighted:plant-a=0",
            "invalid-request",
            "at least 1",
        ),
        (
            "--allocate hash:plant-a --allocate-default plant-b",
            "invalid-request",
            "label:KEY",
        ),
        (
            "--allocate label:region --allocate-default none",
            "group-not-found",
            "none",
        ),
        (
            "--zero-touch tpm --zero-touch-manifest none",
            "manifest-not-found",
            "enlist get manifests",
        ),
        (
            "--lifetime 200 --max-lifetime 100",
            "lifetime-not-allowed",
            "100 hours",
        ),
    ] {
        let err = rig.refused(&format!("enlist set group intake {words}"), 1, slug);
        assert!(err.contains(said), "{words}: {err}");
    }
    rig.refused(
        "enlist set group none --enrollment open",
        1,
        "group-not-found",
    );
    for words in [
        "--allocate random:plant-a",
        "--allocate weighted:plant-a=x",
        "--allocate-default plant-a",
        "--zero-touch sgx",
        "--without-proof perhaps",
        "--enrollment perhaps",
    ] {
        let ran = rig.sh(&format!("enlist set group intake {words}"));
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
    }
    assert_eq!(shown(), before);
    rig.ok("enlist set group plant-a --allocate hash:plant-b");
    let err = rig.refused(
        "enlist set group intake --allocate hash:plant-a",
        1,
        "invalid-request",
    );
    assert!(err.contains("passes its newcomers on itself"), "{err}");
    // Zero-touch is switched on, and each part of it back again.
    let set = |words: &str| {
        rig.json(&format!("enlist set group intake {words} -o json"))["zero_touch"].clone()
    };
    rig.write(
        "batch.csv",
        "tpm-ek\nabababababababababababababababababababababababababababababababab\n",
    );
    rig.ok("enlist import manifest batch-7 batch.csv");
    let on = set("--zero-touch tpm,idevid --zero-touch-manifest batch-7 --without-proof approve");
    assert_eq!(
        on,
        json!({"accept": ["tpm", "idevid"], "manifest": "batch-7", "without_proof": "approve"})
    );
    rig.refused("enlist delete manifest batch-7", 1, "manifest-in-use");
    set("--zero-touch-manifest ''");
    rig.ok("enlist delete manifest batch-7");
}
