//! `enlist get pending`, `approve` and `reject`: a person's word, one by one and over many.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::collections::BTreeSet;
use std::process::Stdio;

use enlist_testkit::{Answer, Receiver};
use rig::applicants::Applicants;
use rig::{Ran, Rig, installed};
use serde_json::{Value, json};

/// A server with the group `field`, whose newcomers wait, and somebody who asks for them.
fn field() -> (Rig, Applicants) {
    let rig = Rig::new();
    let secret = rig.ok("enlist add group field --enrollment approve");
    let applicants = Applicants::new(&rig, "field", &secret);
    (rig, applicants)
}

/// The names of those who wait.
fn waiting(rig: &Rig) -> Vec<String> {
    named(&rig.json("enlist get pending -o json"))
}

fn named(list: &Value) -> Vec<String> {
    let names = list.as_array().unwrap().iter();
    names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

fn state(rig: &Rig, name: &str) -> Value {
    rig.json(&format!("enlist get device {name} -g field -o json"))["state"].clone()
}

#[test]
fn the_code_on_the_device_is_the_one_in_the_queue_and_finds_it() {
    let (rig, _) = field();
    let secret = rig.ok("enlist add secret -g field --label line-4");
    let ask = format!("enlist provision unit-7 -g field -s {}", secret.trim());
    let err = rig.refused(&ask, 1, "approval-pending");
    let queue = rig.json("enlist get pending -o json");
    assert_eq!(named(&queue), ["unit-7"]);
    let pending = &queue[0]["pending"];
    assert_eq!(pending["secret"], "line-4");
    let code = pending["code"].as_str().unwrap();
    assert!(err.contains(code), "the device shows it: {err}");
    assert!(
        err.contains("enlist approve device unit-7 -g field"),
        "{err}"
    );
    let table = rig.ok("enlist get pending -g field");
    assert!(table.contains(code) && table.contains("line-4"), "{table}");
    let csv = rig.ok("enlist get pending -o csv");
    assert!(csv.starts_with("group,name,code,"), "{csv}");

    let err = rig.refused("enlist approve device --code zzzzzz", 1, "nobody-waits");
    assert!(err.contains("shows the code `ZZZ-ZZZ`"), "{err}");
    let err = rig.refused(
        "enlist approve device unit-8 -g field",
        1,
        "device-not-found",
    );
    assert!(err.contains("enlist get devices"), "{err}");
    let err = rig.refused("enlist approve device unit-7", 1, "device-not-found");
    assert!(err.contains("with -g"), "{err}");
    rig.refused("enlist approve device", 1, "nobody-named");
    // What is told is the role that all of it takes.
    rig.ok("enlist add token line --role factory > line.token");
    for command in [
        "approve device unit-7 -g field",
        "approve device --all --yes",
        "gen-device-config --device-name=unit --enrollment-type=group-enroll --persist=/x -g field",
    ] {
        let command = format!("ENLIST_TOKEN=$(cat line.token) enlist {command}");
        let err = rig.refused(&command, 1, "forbidden");
        assert!(err.contains("the role operator"), "{command}: {err}");
    }
    assert_eq!(waiting(&rig), ["unit-7"], "nothing of that was a yes");

    // The code alone is a person's yes, however they type it.
    let rows = rig.json(&format!(
        "enlist approve device --code {} --reason 'seen it' -o json",
        code.to_lowercase().replace('-', "")
    ));
    assert_eq!(
        rows,
        json!([{"group": "field", "name": "unit-7", "outcome": "approved"}])
    );
    rig.ok(&ask);
    rig.refused(
        "enlist approve device unit-7 -g field",
        1,
        "invalid-transition",
    );
    rig.refused(
        "enlist reject device unit-7 -g field",
        1,
        "invalid-transition",
    );
    let said = rig.json("enlist get events --kind device-approved -o json");
    assert_eq!(said[0]["detail"]["reason"], "seen it", "{said}");
}

#[test]
fn nothing_is_done_to_many_before_somebody_has_said_yes() {
    let (rig, applicants) = field();
    let requests = applicants.wait("unit", 3);
    for format in ["table", "json", "csv"] {
        let ran = rig.sh(&format!("enlist reject device --all -o {format}"));
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(
            ran.err
                .contains("3 devices would be rejected: --yes does it"),
            "{ran:?}"
        );
        assert!(ran.err.contains("problem: needs-yes"), "{ran:?}");
        assert!(ran.out.contains("unit-2"), "they are shown: {ran:?}");
        if format == "json" {
            let shown: Value = serde_json::from_str(&ran.out).unwrap();
            assert_eq!(named(&shown).len(), 3);
        }
    }
    assert_eq!(waiting(&rig).len(), 3);
    if installed(&["script"]) {
        let at_a_terminal = |answer: &str, words: &str| {
            rig.sh(&format!(
                "printf '{answer}\\n' | script -qec 'enlist {words}' /dev/null"
            ))
        };
        let ran = at_a_terminal("", "approve device --all");
        assert!(ran.out.contains("Approve 3 devices? [y/N]"), "{ran:?}");
        assert!(ran.out.contains("Nothing was done."), "{ran:?}");
        assert_eq!(waiting(&rig).len(), 3);
        let ran = at_a_terminal("y", "approve device --all");
        assert!(ran.out.contains("3 devices approved."), "{ran:?}");
    } else {
        rig.ok("enlist approve device --all --yes");
    }
    assert_eq!(waiting(&rig), [""; 0]);
    for request in &requests {
        assert_eq!(
            applicants.ask(request),
            Ok(true),
            "its certificate is there"
        );
    }
    rig.refused("enlist approve device --all --yes", 1, "nobody-waits");
    let usage = [
        "unit-1 --all",
        "--older-than 1w",
        "-l north",
        "--code",
        "--code zzz",
        "Unit_1",
        "--all -g Field",
    ];
    for words in usage {
        let ran = rig.sh(&format!("enlist approve device {words}"));
        assert_eq!(ran.status, 2, "{words}: {ran:?}");
    }
}

#[test]
fn what_is_selected_has_all_that_was_asked_for() {
    let (rig, applicants) = field();
    // The hook gives labels to those who wait.
    let hook = Receiver::start(|asked| {
        let name = asked.json()["name"].as_str().unwrap().to_owned();
        let region = if name.starts_with("pump") {
            "north"
        } else {
            "south"
        };
        let answer = json!({"allow": true, "labels": {"region": region}});
        Answer::Body(200, answer.to_string().into_bytes())
    });
    rig.write("hook-ca.pem", hook.ca_pem());
    rig.ok(&format!(
        "enlist add hook -g field --url {} --ca hook-ca.pem",
        hook.url()
    ));
    let secret = rig.ok("enlist add group yard --enrollment approve");
    let yard = Applicants::new(&rig, "yard", &secret);
    applicants.wait("pump", 2);
    applicants.wait("press", 3);
    yard.wait("pump", 2);
    for none in [
        "--attested",
        "--prefix valve-",
        "--prefix pump- -l region=south",
        "-l region=north -l region=south",
        "--older-than 1h",
        "--all --code ZZZ-ZZZ",
    ] {
        let command = format!("enlist approve device {none} --yes");
        rig.refused(&command, 1, "nobody-waits");
    }
    let rows = rig.json("enlist approve device -l region=north --prefix pump- --yes -o json");
    let mut approved = named(&rows);
    approved.sort();
    assert_eq!(approved, ["pump-1", "pump-2"], "{rows}");
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row["group"] == "field")
    );
    let rows = rig.json("enlist reject device --prefix press- -g field --yes -o json");
    assert_eq!(rows[2]["outcome"], "rejected", "{rows}");
    rig.refused(
        "enlist reject device --prefix press- -g yard --yes",
        1,
        "nobody-waits",
    );
    rig.ok("sleep 2.1");
    let ran = rig.sh("enlist approve device --older-than 1 --yes");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.err
            .contains("Device `pump-2` of group `yard` is approved."),
        "{ran:?}"
    );
    assert_eq!(waiting(&rig), [""; 0]);
}

#[test]
fn a_refusal_of_one_does_not_stop_the_others() {
    let (rig, applicants) = field();
    applicants.wait("unit", 3);
    rig.ok("enlist approve device unit-2 -g field");
    let ran = rig.sh("enlist approve device unit-1 unit-2 unit-3 nobody -g field -o json");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("2 of 4 devices not approved"), "{ran:?}");
    let rows: Value = serde_json::from_str(&ran.out).unwrap();
    let outcomes: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["outcome"].as_str().unwrap(), row["slug"].as_str()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("approved", None),
            ("refused", Some("invalid-transition")),
            ("approved", None),
            ("refused", Some("device-not-found")),
        ]
    );
    assert_eq!(state(&rig, "unit-3"), "active");
    let ran = rig.sh("enlist reject device unit-1 unit-3 -g field");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.err
            .contains("Device `unit-3` of group `field`: can't reject"),
        "{ran:?}"
    );
}

/// Starts commands at the same time, and waits for all.
fn at_once(rig: &Rig, words: &[&str]) -> Vec<Ran> {
    let start = |words: &&str| {
        let mut command = rig.command("enlist");
        command.args(words.split(' '));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let started: Vec<_> = words.iter().map(start).collect();
    let ended = started.into_iter();
    ended
        .map(|one| Ran::of(&one.wait_with_output().unwrap()))
        .collect()
}

#[test]
fn of_two_operators_at_once_one_lets_a_device_in_and_it_has_one_certificate() {
    let (rig, applicants) = field();
    let requests = applicants.wait("unit", 5);
    for n in 1..=5 {
        let yes = format!("approve device unit-{n} -g field");
        let no = format!("reject device unit-{n} -g field");
        let ran = at_once(&rig, &[&yes, if n == 5 { &no } else { &yes }]);
        let done = ran.iter().filter(|one| one.status == 0).count();
        assert_eq!(done, 1, "{ran:?}");
        let refused = ran.iter().find(|one| one.status != 0).unwrap();
        let slugs = ["invalid-transition", "device-not-found", "device-changed"];
        assert!(
            slugs
                .iter()
                .any(|slug| refused.err.contains(&format!("problem: {slug}"))),
            "{refused:?}"
        );
    }
    for request in &requests[..4] {
        assert_eq!(applicants.ask(request), Ok(true));
    }
    let certificates = rig.json("enlist get certificates -g field -o json");
    let approved = rig.json("enlist get events --kind device-approved -o json");
    let (certificates, approved) = (
        certificates.as_array().unwrap(),
        approved.as_array().unwrap(),
    );
    assert_eq!(certificates.len(), approved.len());
    assert!((4..=5).contains(&approved.len()), "{approved:?}");
}

#[test]
fn two_commands_over_the_same_three_hundred_let_each_in_once() {
    const COUNT: usize = 300;
    let (rig, applicants) = field();
    let requests = applicants.wait("unit", COUNT);
    assert_eq!(waiting(&rig).len(), COUNT);
    let command = "approve device --all --yes -o json";
    let ran = at_once(&rig, &[command, command]);
    let mut approved = Vec::new();
    for one in &ran {
        let rows: Value = match one.out.as_str() {
            // The other one was through before this one had looked.
            "" => json!([]),
            out => serde_json::from_str(out).unwrap(),
        };
        let rows = rows.as_array().unwrap();
        let done = rows.iter().filter(|row| row["outcome"] == "approved");
        let done: Vec<_> = done.cloned().collect();
        let refused = rows.len() - done.len();
        let complete = !rows.is_empty() && refused == 0;
        assert_eq!(one.status, i32::from(!complete), "{}", one.err);
        let count = if complete {
            format!("{COUNT} devices approved.")
        } else {
            format!("{refused} of ")
        };
        assert!(rows.is_empty() || one.err.contains(&count), "{}", one.err);
        approved.extend(named(&Value::Array(done)));
    }
    assert_eq!(approved.len(), COUNT, "each once");
    assert_eq!(approved.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    assert_eq!(waiting(&rig), [""; 0]);
    let certificates = rig.json("enlist get certificates -g field -o json");
    assert_eq!(certificates.as_array().unwrap().len(), COUNT);
    for request in [&requests[0], &requests[COUNT - 1]] {
        assert_eq!(applicants.ask(request), Ok(true));
    }
}
