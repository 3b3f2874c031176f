//! `enlist quickstart`: all of it, on this machine.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use rig::{Shell, eventually};

#[test]
fn a_stranger_has_a_server_devices_and_agents_in_one_go_and_again() {
    let shell = Shell::new();
    let first = shell.sh("enlist quickstart --exit --listen 127.0.0.1:0");
    assert_eq!(first.status, 0, "{first:?}");
    let rows: Vec<_> = first.out.lines().skip(1).collect();
    assert_eq!(rows.len(), 5, "{first:?}");
    assert!(rows.iter().all(|row| row.contains("active")), "{first:?}");
    assert!(first.err.contains("100 created"), "{first:?}");
    assert_eq!(rig::mode(&shell.work().join("enlist-data")), 0o700);

    let again = shell.sh("enlist quickstart --exit --listen 127.0.0.1:0");
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.err.contains("100 there already"), "{again:?}");
    assert_eq!(
        again.out, first.out,
        "the same devices, the same certificates"
    );
}

#[test]
fn the_commands_to_try_work_as_they_are_printed() {
    let shell = Shell::new();
    // Whether it is in use already or by this: the usual port is taken.
    let taken = TcpListener::bind("127.0.0.1:8443");
    let mut quickstart = shell
        .command("enlist")
        .args([
            "quickstart",
            "--devices",
            "7",
            "--agents",
            "2",
            "--data",
            "a place",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = Vec::new();
    for line in BufReader::new(quickstart.stderr.take().unwrap()).lines() {
        told.push(line.unwrap());
        if told.last().unwrap().contains("Ctrl-C") {
            break;
        }
    }
    drop(taken);
    assert!(
        told.iter().any(|line| line.contains("8443 is in use")),
        "{told:?}"
    );
    let commands: Vec<_> = told
        .iter()
        .filter(|line| line.starts_with("  enlist "))
        .collect();
    assert_eq!(commands.len(), 3, "{told:?}");
    let parent = quickstart.id();
    assert_eq!(rig::children(parent).len(), 2, "real processes");
    let agents = rig::children(parent);
    for command in commands {
        shell.ok(command);
    }
    assert_eq!(
        shell
            .json("enlist get devices -g quickstart -o json")
            .as_array()
            .unwrap()
            .len(),
        7
    );
    for name in ["1", "2"] {
        let config = std::fs::read_to_string(
            shell
                .work()
                .join("a place/agents")
                .join(name)
                .join("config.json"),
        )
        .unwrap();
        assert!(
            config.contains(&format!("\"hardware_id\": \"quickstart-{name}\"")),
            "{config}"
        );
    }

    shell.ok(&format!("kill -INT {}", quickstart.id()));
    assert_eq!(quickstart.wait().unwrap().code(), Some(0));
    assert!(!agents.into_iter().any(rig::is_at_work));

    // One of the commands has suspended a device; that is no reason to wait for it.
    let again = shell.sh(
        "enlist quickstart --exit --listen 127.0.0.1:0 --devices 7 --agents 2 --data 'a place'",
    );
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.out.contains("suspended"), "{again:?}");
}

#[test]
fn agents_do_not_outlive_a_quickstart_that_is_killed() {
    let shell = Shell::new();
    let mut quickstart = shell
        .command("enlist")
        .args([
            "quickstart",
            "--listen",
            "127.0.0.1:0",
            "--devices",
            "3",
            "--agents",
            "3",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let err = BufReader::new(quickstart.stderr.take().unwrap());
    assert!(err.lines().any(|line| line.unwrap().contains("Ctrl-C")));
    let agents = rig::children(quickstart.id());
    assert_eq!(agents.len(), 3);
    quickstart.kill().unwrap();
    quickstart.wait().unwrap();
    eventually("the agents end", || {
        !agents.iter().any(|pid| rig::is_at_work(*pid))
    });
    let again = shell.sh("enlist quickstart --exit --listen 127.0.0.1:0 --devices 3 --agents 3");
    assert_eq!(again.status, 0, "{again:?}");
}

#[test]
fn a_context_of_the_users_own_stays_the_current_one() {
    let rig = rig::Rig::new();
    rig.ok("enlist add group mine");
    let ran = rig.sh("enlist quickstart --exit --listen 127.0.0.1:0 --devices 2 --agents 1");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.err.contains("`default` stays the current one"),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("enlist --context quickstart get devices"),
        "{ran:?}"
    );
    assert!(rig.ok("enlist get groups -o csv").contains("mine"));
    let contexts = rig.json("enlist get context -o json");
    assert_eq!(contexts.as_array().unwrap().len(), 2);
}

#[test]
fn what_can_not_be_is_refused_at_once() {
    let shell = Shell::new();
    shell.refused(
        "enlist quickstart --exit --devices 2 --agents 3",
        1,
        "too-many-agents",
    );
    assert_eq!(shell.files(".").len(), 0);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ran = shell.sh(&format!("enlist quickstart --exit --listen {address}"));
    assert_eq!(
        ran.status, 1,
        "a port that was asked for is not replaced: {ran:?}"
    );
    assert!(ran.err.contains(&address.to_string()), "{ran:?}");
}

#[test]
fn a_home_that_can_not_be_written_is_no_reason_to_go_without_a_server() {
    let shell = Shell::new();
    let ran = shell
        .sh("HOME=/dev/null enlist quickstart --exit --listen 127.0.0.1:0 --devices 1 --agents 1");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.err.contains("export ENLIST_SERVER="), "{ran:?}");
}
