//! `enlist add devices`: many at once, and again after an interruption.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::process::Stdio;

use rig::{Rig, eventually, feed};

fn rig() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group many --no-secret");
    rig
}

fn count(rig: &Rig) -> usize {
    let devices = rig.json("enlist get devices -g many -o json");
    devices.as_array().unwrap().len()
}

#[test]
fn a_range_is_made_in_one_call_and_its_names_are_written_once_each() {
    let rig = rig();
    let add =
        "enlist add devices -g many --count 5000 --prefix test-device- --names-file names.txt";
    let ran = rig.sh(add);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{ran:?}");
    assert!(ran.err.contains("5000 created"), "{ran:?}");
    assert_eq!(count(&rig), 5000);
    let names = rig.read("names.txt");
    let expected: Vec<_> = (1..=5000).map(|n| format!("test-device-{n}")).collect();
    assert_eq!(names.lines().collect::<Vec<_>>(), expected);

    let again = rig.sh(add);
    assert_eq!(again.status, 0);
    assert!(again.err.contains("5000 there already"), "{again:?}");
    assert_eq!(rig.read("names.txt"), names);

    let rows =
        rig.json("enlist add devices -g many --count 3 --prefix test-device- --start 4999 -o json");
    let results: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["existing", "existing", "created"]);
}

#[test]
fn started_again_after_a_kill_it_finishes_the_rest() {
    let rig = rig();
    let all: String = (1..=6000).map(|n| format!("press-{n}\n")).collect();
    rig.write("all.txt", &all);
    rig.write("names.txt", "what was there before\n");
    let mut adding = rig
        .command("enlist")
        .args([
            "add",
            "devices",
            "-g",
            "many",
            "--from",
            "-",
            "--names-file",
            "names.txt",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The rest never comes: the call is under way when it is killed.
    feed(&mut adding, &all[..all.len() / 2]);
    eventually("some are there", || count(&rig) > 0);
    adding.kill().unwrap();
    adding.wait().unwrap();
    assert_eq!(rig.read("names.txt"), "what was there before\n");

    let ran = rig.sh("enlist add devices -g many --from all.txt --names-file names.txt");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.err.contains(" 0 there already"), "{ran:?}");
    assert_eq!(count(&rig), 6000);
    assert_eq!(rig.read("names.txt"), all);
}

#[test]
fn a_server_that_dies_in_the_middle_is_told_and_the_rest_finished_later() {
    let mut rig = rig();
    let mut adding = rig
        .command("enlist")
        .args(["add", "devices", "-g", "many", "--from", "-", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first: String = (1..=4000).map(|n| format!("press-{n}\n")).collect();
    feed(&mut adding, &first);
    eventually("some are there", || count(&rig) > 0);
    rig.kill();
    let status = adding.wait().unwrap();
    let err = rig::rest(adding.stderr.take().unwrap());
    assert_eq!(status.code(), Some(3), "{err}");
    assert!(err.contains("run the same command again"), "{err}");
    rig.start();
    rig.write("all.txt", &first);
    rig.ok("enlist add devices -g many --from all.txt");
    assert_eq!(count(&rig), 4000);
}

#[test]
fn refused_names_are_told_with_their_reason_and_the_others_are_made() {
    let rig = rig();
    rig.write("names.txt", "press-1\n\n  press-2  \r\nPress_3\npress-1\n");
    let ran = rig.sh("enlist add devices -g many --from names.txt --names-file out.txt");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(
        ran.err.contains("`Press_3`") && ran.err.contains("`press-3` would do"),
        "{ran:?}"
    );
    assert!(ran.err.contains("problem: devices-refused"), "{ran:?}");
    assert_eq!(
        rig.files("."),
        ["names.txt"],
        "no names file, whole or half"
    );
    assert_eq!(count(&rig), 2);

    rig.write("names.txt", "press-1\npress-3\npress-2\npress-1\n");
    rig.ok("enlist add devices -g many --from names.txt --names-file out.txt");
    assert_eq!(rig.read("out.txt"), "press-1\npress-3\npress-2\n");
}

#[test]
fn what_can_not_be_is_refused_before_anything_is_made() {
    let rig = rig();
    rig.write("names.txt", "press-1\n");
    rig.refused(
        "enlist add devices -g many --count 3 --prefix A_",
        1,
        "invalid-name",
    );
    rig.refused(
        "enlist add devices -g none --count 3 --prefix a",
        1,
        "group-not-found",
    );
    rig.refused(
        "enlist add devices -g none --from names.txt",
        1,
        "group-not-found",
    );
    rig.refused(
        "enlist add devices -g many --count 1 --prefix a --names-file /dev/null",
        1,
        "not-a-file",
    );
    for usage in [
        "--count 3",
        "--prefix a",
        "--count 0 --prefix a",
        "--from x --count 3 --prefix a",
        "",
    ] {
        let ran = rig.sh(&format!("enlist add devices -g many {usage}"));
        assert_eq!(ran.status, 2, "{usage}: {ran:?}");
    }
    assert_eq!(
        rig.sh("enlist add devices -g many --from missing.txt")
            .status,
        1
    );
    let ran = rig.sh("enlist add devices -g many --from /dev/zero");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("no list of names"), "{ran:?}");
    assert_eq!(count(&rig), 0);
}

#[test]
fn a_viewer_may_not_and_a_factory_may() {
    let rig = rig();
    rig.ok("enlist add token dashboard --role viewer > viewer.token");
    rig.ok("enlist add token line-4 --role factory > factory.token");
    let add = |token: &str| {
        format!(
            "ENLIST_TOKEN=$(cat {token}) enlist add devices -g many --count 3 --prefix {token}-"
        )
        .replace(".token-", "-")
    };
    rig.refused(&add("viewer.token"), 1, "forbidden");
    rig.ok(&add("factory.token"));
    assert_eq!(count(&rig), 3);
}
