//! An auditor takes the record of events away, and verifies it where no server is.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, installed};

const EXPORT: &str = "enlist export events --out";
const VERIFY: &str = "enlist verify events --key audit.pem";

/// A server at which a few things have happened, and the auditor's key.
fn with_events() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group lamps --enrollment open > secret.txt");
    rig.ok("enlist provision lamp-1 -g lamps -s \"$(cat secret.txt)\"");
    rig.ok("for name in a b c; do enlist add device -g lamps $name; done");
    rig.ok("enlist get audit-key > audit.pem");
    rig
}

#[test]
fn what_was_exported_is_verified_with_the_server_gone() {
    let mut rig = with_events();
    let ran = rig.sh(&format!("{EXPORT} events.jsonl"));
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    let fingerprint = rig.json("enlist get audit-key -o json")["fingerprint"].clone();
    let fingerprint = fingerprint.as_str().unwrap();
    assert!(ran.err.contains(fingerprint), "{ran:?}");
    assert!(!rig.files(".").contains(&"events.jsonl.part".to_owned()));
    // Standard output gets the same, but for the fresh head.
    let streamed = rig.ok("enlist export events");
    let events = |text: &str| {
        let lines = text.lines().filter(|line| line.contains("sealed"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let exported = rig.read("events.jsonl");
    assert_eq!(events(&streamed), events(&exported));
    assert!(exported.contains("device-enrolled"));
    rig.refused(&format!("{EXPORT} events.jsonl"), 1, "file-exists");
    rig.kill();

    let ran = rig.sh(&format!("{VERIFY} events.jsonl --save-head head.json"));
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    assert!(ran.err.contains("Nothing is wrong"), "{ran:?}");
    let verdict = rig.json(&format!(
        "{VERIFY} --head head.json -o json - < events.jsonl"
    ));
    assert_eq!(verdict["intact"], true);
    assert_eq!(verdict["findings"].as_array().unwrap().len(), 0);
    assert_eq!(verdict["warnings"].as_array().unwrap().len(), 0);
    assert_eq!(verdict["events"], events(&exported).len());
    assert_eq!(verdict["newest"]["tenant"], "default");

    // Without Enlist, as the documentation has it.
    if has_the_script(&rig) {
        let said = rig.ok("python3 verify.py events.jsonl audit.pem head.json");
        assert!(said.ends_with("events, intact\n"), "{said}");
        rig.ok("sed s/lamp-1/lamp-2/ events.jsonl > changed.jsonl");
        let ran = rig.sh("python3 verify.py changed.jsonl audit.pem head.json");
        assert!(
            ran.status != 0 && ran.err.contains("changed or missing"),
            "{ran:?}"
        );
    }
}

/// Writes the documentation's script, and says whether it can be run here.
fn has_the_script(rig: &Rig) -> bool {
    let text = include_str!("../../../docs/audit.md");
    let (_, script) = text.split_once("```python\n").unwrap();
    rig.write("verify.py", script.split_once("```").unwrap().0);
    installed(&["python3", "openssl"])
}

#[test]
fn whatever_was_done_to_an_export_is_named() {
    let rig = with_events();
    rig.ok(&format!("{EXPORT} events.jsonl"));
    rig.ok(&format!("{VERIFY} events.jsonl --save-head head.json"));
    let harmed = |how: &str, finding: &str| {
        rig.ok(&format!("{how} events.jsonl > harmed.jsonl"));
        let ran = rig.sh(&format!(
            "{VERIFY} harmed.jsonl --head head.json --save-head other.json -o json"
        ));
        assert_eq!(ran.status, 1, "{how}: {ran:?}");
        assert!(ran.err.contains("problem: record-not-intact"), "{ran:?}");
        let verdict: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let findings = verdict["findings"].as_array().unwrap();
        let kinds: Vec<_> = findings
            .iter()
            .map(|it| it["kind"].as_str().unwrap())
            .collect();
        assert!(kinds.contains(&finding), "{how}: {kinds:?}");
        // What is not intact leaves no head to go on from.
        assert!(!rig.files(".").contains(&"other.json".to_owned()));
        let shown = rig.sh(&format!("{VERIFY} harmed.jsonl --head head.json"));
        assert!(shown.out.contains(finding), "{how}: {shown:?}");
    };
    harmed("sed s/lamp-1/lamp-2/", "changed");
    harmed("sed '/\"seq\":3,/d'", "missing");
    harmed(
        "awk '/\"seq\":3,/ {held = $0; next} {print} /\"seq\":4,/ {print held}'",
        "reordered",
    );
    harmed("sed '/\"seq\":3,/p'", "repeated");
    harmed("grep -m 4 sealed", "cut-off");
    harmed("grep -m 4 sealed", "no-head-at-the-end");
    harmed("head -c 2000", "unreadable");
    harmed("head -n 0", "empty");
    rig.ok("openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout -out other.pem");
    let ran = rig.sh("enlist verify events events.jsonl --key other.pem");
    assert!(
        ran.status == 1 && ran.out.contains("forged-head"),
        "{ran:?}"
    );
    rig.refused(&format!("{VERIFY} nowhere.jsonl"), 1, "file-missing");
}

#[test]
fn an_export_goes_on_where_it_stopped_and_parts_are_verified_together() {
    let rig = with_events();
    rig.ok(&format!("{EXPORT} whole.jsonl"));
    // As if it had broken off in the middle of the third line.
    rig.ok("grep -m 2 sealed whole.jsonl > again.jsonl.part; head -n 1 whole.jsonl | head -c 50 >> again.jsonl.part");
    rig.ok(&format!("{EXPORT} again.jsonl"));
    rig.ok("grep sealed whole.jsonl > one; grep sealed again.jsonl > two; cmp one two");
    rig.ok(&format!("{VERIFY} again.jsonl"));
    // What is there is of another record.
    rig.ok("grep -m 2 sealed whole.jsonl | sed 's/\"hash\":\"...../\"hash\":\"00000/' > other.jsonl.part");
    let err = rig.refused(&format!("{EXPORT} other.jsonl"), 1, "another-record");
    assert!(err.contains("event 2"), "{err}");

    rig.ok(&format!("{VERIFY} whole.jsonl --save-head head.json"));
    let last = rig.ok("grep -c sealed whole.jsonl");
    rig.ok("enlist add device -g lamps later");
    rig.ok(&format!("{EXPORT} later.jsonl --since {}", last.trim()));
    let ran = rig.sh(&format!("{VERIFY} later.jsonl -o json"));
    assert!(
        ran.status == 1 && ran.out.contains("not-from-the-start"),
        "{ran:?}"
    );
    if has_the_script(&rig) {
        let script = "python3 verify.py later.jsonl audit.pem";
        let ran = rig.sh(script);
        assert!(
            ran.status != 0 && ran.err.contains("the head of it"),
            "{ran:?}"
        );
        rig.ok(&format!("{script} head.json"));
        rig.ok("cat whole.jsonl later.jsonl > both.jsonl; python3 verify.py both.jsonl audit.pem head.json");
    }
    rig.ok(&format!(
        "{VERIFY} later.jsonl --head head.json --save-head head.json"
    ));
    rig.ok(&format!(
        "{VERIFY} whole.jsonl later.jsonl --head head.json"
    ));
    // The newer head is not in what there was before.
    let ran = rig.sh(&format!("{VERIFY} whole.jsonl --head head.json"));
    assert!(ran.status == 1 && ran.out.contains("cut-off"), "{ran:?}");
    rig.refused("enlist export events --since 100000", 1, "invalid-request");
}

#[test]
fn an_auditor_who_may_only_read_takes_the_record_away() {
    let rig = with_events();
    rig.ok("enlist add token auditor --role viewer > viewer.token");
    rig.ok("enlist add token station --role factory > factory.token");
    let by = |token: &str| {
        format!(
            "ENLIST_SERVER={} ENLIST_CA=../data/root.pem ENLIST_TOKEN=\"$(cat {token})\"",
            rig.url
        )
    };
    rig.refused(
        &format!("{} {EXPORT} events.jsonl", by("factory.token")),
        1,
        "forbidden",
    );
    rig.ok(&format!("{} {EXPORT} events.jsonl", by("viewer.token")));
    rig.ok(&format!(
        "{} enlist get audit-key | cmp - audit.pem",
        by("viewer.token")
    ));
}
