//! `enlist add webhook` and what follows: a receiver that is tried, told, away, back, and deleted.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use enlist_core::{Clock, SystemClock};
use enlist_testkit::{Answer, Received, Receiver};
use rig::{Rig, eventually};
use serde_json::Value;

/// Adds the webhook `erp`; its signing secret comes back.
fn add(rig: &Rig, receiver: &Receiver, more: &str) -> String {
    rig.write("erp-ca.pem", receiver.ca_pem());
    let url = receiver.url();
    let add = format!("enlist add webhook erp --url {url} --ca erp-ca.pem {more}");
    rig.ok(&add).trim().to_owned()
}

/// How it stands with the webhook `erp`.
fn standing(rig: &Rig) -> Value {
    rig.json("enlist get webhooks -o json")[0].clone()
}

/// Whether a request bears a signature by this secret.
fn is_signed(received: &Received, secret: &str) -> bool {
    received.verify(secret, SystemClock.now()).is_ok()
}

/// The kinds of what was told of each device, each event once, in the order in which they came.
fn told(receiver: &Receiver) -> HashMap<String, Vec<String>> {
    let mut seen = HashSet::new();
    let mut told: HashMap<_, Vec<_>> = HashMap::new();
    for one in receiver.received() {
        let message = one.json();
        if let Some(device) = message["data"]["device"].as_str()
            && seen.insert(one.id.clone())
        {
            let kind = message["type"].as_str().unwrap().to_owned();
            told.entry(device.to_owned()).or_default().push(kind);
        }
    }
    told
}

#[test]
fn a_receiver_that_was_down_while_devices_enrolled_gets_every_event_in_order() {
    let rig = Rig::new();
    let mut receiver = Receiver::start(|_| Answer::Status(200));
    let secret = add(&rig, &receiver, "");
    receiver.down();
    rig.ok("enlist add group lamps --enrollment open > secret.txt");
    for n in 1..=4 {
        rig.ok(&format!(
            "enlist provision lamp-{n} -g lamps -s $(cat secret.txt)
             enlist suspend device lamp-{n} -g lamps
             enlist resume device lamp-{n} -g lamps"
        ));
    }
    eventually("it is noticed", || standing(&rig)["error"].is_string());
    let away = standing(&rig);
    assert!(away["behind"].as_u64().unwrap() > 0, "{away}");
    let error = away["error"].as_str().unwrap();
    assert!(error.contains("can't connect"), "{error}");
    let table = rig.ok("enlist get webhooks");
    assert!(
        table.contains("FAILING SINCE") && table.contains(error),
        "{table}"
    );
    let err = rig.refused("enlist test webhook erp", 1, "webhook-not-told");
    assert!(err.contains("connect"), "{err}");
    assert!(receiver.received().is_empty());

    receiver.up();
    let all = |of: &HashMap<String, Vec<String>>| of.values().map(Vec::len).sum::<usize>() == 12;
    eventually("all is told", || all(&told(&receiver)));
    for (device, kinds) in told(&receiver) {
        let expected = ["device-enrolled", "device-suspended", "device-resumed"];
        assert_eq!(kinds, expected, "{device}");
    }
    eventually("nothing stands in the way", || {
        let now = standing(&rig);
        now["behind"] == 0 && now["error"].is_null() && now["dead_letters"] == 0
    });
    assert!(
        receiver
            .received()
            .iter()
            .all(|one| is_signed(one, &secret))
    );
}

#[test]
fn what_was_not_taken_for_a_day_is_listed_and_told_when_it_is_tried_again() {
    let Some(rig) = Rig::with_clock() else {
        return;
    };
    let refuses = Arc::new(AtomicBool::new(true));
    let switch = refuses.clone();
    let receiver = Receiver::start(move |one| {
        let is_it = one.json()["data"]["device"] == "lamp-1";
        let status = if is_it && switch.load(Ordering::SeqCst) {
            500
        } else {
            200
        };
        Answer::Status(status)
    });
    add(
        &rig,
        &receiver,
        "--kind device-enrolled --kind device-suspended",
    );
    rig.ok("enlist add group lamps --enrollment open > secret.txt");
    for n in [1, 2] {
        rig.ok(&format!(
            "enlist provision lamp-{n} -g lamps -s $(cat secret.txt)"
        ));
    }
    eventually("the other one is told", || {
        told(&receiver).contains_key("lamp-2") && standing(&rig)["error"].is_string()
    });
    assert_eq!(
        rig.json("enlist get dead-letters erp -o json"),
        serde_json::json!([])
    );
    rig.turn("+25h");
    let letters = || rig.json("enlist get dead-letters erp -o json");
    eventually("it is given up", || {
        letters().as_array().unwrap().len() == 1
    });
    let letter = letters()[0].clone();
    assert_eq!(letter["kind"], "device-enrolled", "{letter}");
    assert_eq!(letter["device"], "lamp-1", "{letter}");
    assert!(
        letter["error"].as_str().unwrap().contains("500"),
        "{letter}"
    );
    assert_eq!(standing(&rig)["dead_letters"], 1);
    let table = rig.ok("enlist get dead-letters erp");
    assert!(table.contains("it answered 500"), "{table}");
    // What follows about the device goes on, once somebody takes it.
    refuses.store(false, Ordering::SeqCst);
    rig.ok("enlist suspend device lamp-1 -g lamps");
    let came = || told(&receiver)["lamp-1"].clone();
    eventually("it is told", || {
        came().contains(&"device-suspended".to_owned())
    });

    let before = receiver.received().len();
    let ran = rig.sh(&format!(
        "enlist retry dead-letter erp {} -o json",
        letter["seq"]
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("1 dead letter is tried again."), "{ran:?}");
    assert_eq!(ran.out.parse::<Value>().unwrap()["retried"], 1);
    eventually("it is taken", || {
        let later = receiver.received().split_off(before);
        later.iter().any(|one| {
            one.json()["data"]["event_id"] == letter["event_id"]
                || one.json()["data"]["seq"] == letter["seq"]
        })
    });
    eventually("that is on record", || standing(&rig)["dead_letters"] == 0);
    let ran = rig.sh("enlist retry dead-letter erp --all");
    assert!(
        ran.err.contains("Webhook `erp` has no dead letters."),
        "{ran:?}"
    );
    let again = format!("enlist retry dead-letter erp {}", letter["seq"]);
    rig.refused(&again, 1, "dead-letter-not-found");
}

#[test]
fn a_webhook_is_tried_given_another_secret_and_deleted() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(204));
    let first = add(&rig, &receiver, "--kind webhook-tested -g default");
    assert!(
        first.starts_with("whsec_") && !first.contains(char::is_whitespace),
        "{first}"
    );
    let ping = || {
        let ran = rig.sh("enlist test webhook erp");
        assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
        assert!(
            ran.err.contains("Webhook `erp` has taken a ping."),
            "{ran:?}"
        );
        let pings = receiver.received().into_iter();
        let mut pings = pings.filter(|one| one.json()["type"] == "ping");
        pings.next_back().unwrap()
    };
    assert!(is_signed(&ping(), &first));
    assert_eq!(rig.json("enlist test webhook erp -o json")["told"], true);
    let second = rig.ok("enlist refresh webhook erp");
    let ping = ping();
    assert!(is_signed(&ping, &first) && is_signed(&ping, second.trim()));
    assert!(!is_signed(&ping, &format!("whsec_{}=", "A".repeat(43))));
    let shown = standing(&rig);
    assert_eq!(shown["kinds"], serde_json::json!(["webhook-tested"]));
    assert_eq!(shown["group"], "default");
    let everything =
        rig.ok("enlist get webhooks -o json; enlist get webhooks; enlist get webhooks -o csv");
    assert!(
        !everything.contains("whsec_"),
        "it is shown once: {everything}"
    );
    rig.ok("enlist delete webhook erp");
    assert_eq!(
        rig.json("enlist get webhooks -o json"),
        serde_json::json!([])
    );
    for gone in [
        "test webhook erp",
        "refresh webhook erp",
        "delete webhook erp",
        "get dead-letters erp",
        "retry dead-letter erp --all",
    ] {
        let err = rig.refused(&format!("enlist {gone}"), 1, "webhook-not-found");
        assert!(err.contains("try: `enlist get webhooks`"), "{err}");
    }
}

#[test]
fn what_can_not_be_a_webhook_is_refused_with_a_reason() {
    let rig = Rig::new();
    rig.write(
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let there = "https://127.0.0.1:9/";
    for (words, slug, said) in [
        (
            "--url http://erp.example.com/",
            "invalid-request",
            "https://",
        ),
        ("--url erp.example.com", "invalid-request", "https://"),
        (
            "--url https://me:word@erp.example.com/",
            "invalid-request",
            "leave out user name",
        ),
        (
            &*format!("--url {there} --ca none.pem"),
            "file-missing",
            "check the path",
        ),
        (
            &format!("--url {there} --ca key.pem"),
            "invalid-request",
            "BEGIN CERTIFICATE",
        ),
        (
            &format!("--url {there} -g none"),
            "group-not-found",
            "enlist get groups",
        ),
        (
            &format!("--url {there} --kind device-enroled"),
            "invalid-request",
            "device-enrolled",
        ),
    ] {
        let err = rig.refused(&format!("enlist add webhook erp {words}"), 1, slug);
        assert!(err.contains(said), "{words}: {err}");
    }
    for usage in [
        "add webhook erp",
        "add webhook Erp --url https://a.example",
        "retry dead-letter erp",
        "retry dead-letter erp 7 --all",
    ] {
        let ran = rig.sh(&format!("enlist {usage}"));
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
    }
    assert_eq!(
        rig.json("enlist get webhooks -o json"),
        serde_json::json!([])
    );
    rig.ok(&format!("enlist add webhook erp --url {there}"));
    let again = format!("enlist add webhook erp --url {there}");
    rig.refused(&again, 1, "name-taken");
}
