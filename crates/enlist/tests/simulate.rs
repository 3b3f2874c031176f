//! `enlist simulate`: small fleets against real servers.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use rig::{Ran, Rig, Shell, eventually};
use serde_json::Value;

/// How the server of a rig is named to the simulator.
fn named(rig: &Rig) -> String {
    format!(
        "--server {} --ca ../data/root.pem --token-file ../data/admin.token",
        rig.url
    )
}

fn report(shell: &Shell) -> Value {
    serde_json::from_str(&shell.read("report.json")).unwrap()
}

/// What one kind of exchange came to.
fn operation<'a>(report: &'a Value, name: &str) -> &'a Value {
    let all = report["operations"].as_array().unwrap();
    all.iter()
        .find(|one| one["operation"] == name)
        .unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

/// The fleet is whole, and nothing is amiss.
#[track_caller]
fn all_is_well(report: &Value, devices: u64) {
    assert_eq!(report["done"], devices, "{report:#}");
    let verdict = &report["verdict"];
    assert_eq!(verdict["enrolled"], devices, "{report:#}");
    assert_eq!(verdict["on_record"], devices, "{report:#}");
    for broken in [
        "without_certificate",
        "shared_identity",
        "off_record",
        "unknown_to_device",
    ] {
        assert_eq!(verdict[broken], 0, "{broken}: {report:#}");
    }
}

#[test]
fn a_launch_day_on_a_server_of_its_own_leaves_a_report_and_a_plot_and_nothing_else() {
    let shell = Shell::new();
    let temporary = shell.work().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let ran = shell.sh(&format!(
        "TMPDIR={} enlist simulate --devices 120 --connections 8 --report report.json --plot plot.svg",
        temporary.display()
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("enroll"), "{ran:?}");
    assert!(
        ran.out.contains("hold: 120 enrolled, 120 on record"),
        "{ran:?}"
    );

    let report = report(&shell);
    all_is_well(&report, 120);
    let enroll = operation(&report, "enroll");
    assert_eq!(
        (&enroll["count"], &enroll["failed"]),
        (&120.into(), &0.into())
    );
    let of = |name: &str| enroll[name].as_f64().unwrap();
    assert!(of("rate_per_s") > 0.0, "{report:#}");
    let quantiles = ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"].map(of);
    assert!(quantiles[0] > 0.0 && quantiles.is_sorted(), "{report:#}");
    assert_eq!(
        operation(&report, "poll")["count"],
        120,
        "each confirms once"
    );
    let traffic = |name: &str| report["traffic"][name].as_u64().unwrap();
    // Each device enrolls over one connection and confirms over another, with its certificate.
    assert_eq!(traffic("connections"), 240, "{report:#}");
    assert!(traffic("sent") > 120 * 1000, "{report:#}");
    assert!(traffic("received") > 120 * 3000, "{report:#}");
    #[cfg(target_os = "linux")]
    for process in ["server", "simulator"] {
        let used = &report[process];
        assert!(used["cpu_s"].as_f64().unwrap() > 0.0, "{report:#}");
        assert!(
            used["peak_memory"].as_u64().unwrap() > 1_000_000,
            "{report:#}"
        );
    }

    let svg = shell.read("plot.svg");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("launch-day of 120 devices"), "{svg}");
    assert!(
        shell.files("tmp").is_empty(),
        "the server's directory is gone"
    );
    let contexts = shell.ok("enlist get context");
    assert_eq!(contexts.lines().count(), 1, "none was saved: {contexts}");
}

#[test]
fn a_line_runs_at_its_rate_and_the_report_is_data_on_standard_output() {
    let mut rig = Rig::new();
    let pid = rig.server().id();
    let ran = rig.sh(&format!(
        "enlist simulate --devices 60 --rate 40 --connections 8 -o json --server-pid {pid} {}",
        named(&rig)
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    all_is_well(&report, 60);
    // 40 a second is reached after ten seconds; the first 60 take five and a half.
    let lasted = report["lasted_s"].as_f64().unwrap();
    assert!((5.0..30.0).contains(&lasted), "{lasted}");
    #[cfg(target_os = "linux")]
    assert!(report["server"]["peak_memory"].as_u64().unwrap() > 1_000_000);

    // What the simulator says of the server is what the server says of itself.
    let group = report["group"].as_str().unwrap();
    assert!(group.starts_with("sim-"), "{group}");
    let devices = rig.json(&format!("enlist get devices -g {group} -o json"));
    let devices = devices.as_array().unwrap();
    assert_eq!(devices.len(), 60);
    assert!(devices.iter().all(|one| one["state"] == "active"));
    let certificates = rig.json(&format!("enlist get certificates -g {group} -o json"));
    assert_eq!(certificates.as_array().unwrap().len(), 60);
}

#[test]
fn in_a_renewal_storm_every_device_has_its_second_certificate() {
    let rig = Rig::new();
    let ran = rig.sh(&format!(
        "enlist simulate --profile renewal-storm --window 2 --devices 60 --connections 8 \
         --report report.json {}",
        named(&rig)
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = report(&rig);
    all_is_well(&report, 60);
    assert_eq!(operation(&report, "renew")["count"], 60);
    assert!(report["enrolled_before_s"].as_f64().unwrap() > 0.0);
    let group = report["group"].as_str().unwrap();
    let certificates = rig.json(&format!("enlist get certificates -g {group} -o json"));
    assert_eq!(certificates.as_array().unwrap().len(), 120);
}

#[test]
fn after_a_power_cut_all_come_back_and_those_that_are_due_renew() {
    let rig = Rig::new();
    let ran = rig.sh(&format!(
        "enlist simulate --profile power-cut --window 2 --devices 60 --connections 8 \
         --report report.json {}",
        named(&rig)
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = report(&rig);
    all_is_well(&report, 60);
    assert_eq!(operation(&report, "renew")["count"], 6);
    assert_eq!(operation(&report, "poll")["count"], 60);
    let connections = report["traffic"]["connections"].as_u64().unwrap();
    assert_eq!(connections, 66, "a new one each, two for who renews");
    assert_eq!(
        report["traffic"]["resumed"], 0,
        "whoever was off has no session"
    );
}

#[test]
fn a_steady_fleet_polls_and_renews_on_its_schedule() {
    let rig = Rig::new();
    // An hour is a second, so each device polls each second; a certificate is renewed after 112 to 120.
    let ran = rig.sh(&format!(
        "enlist simulate --profile steady --time-factor 3600 --duration 4s --devices 50 \
         --connections 8 --report report.json {}",
        named(&rig)
    ));
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = report(&rig);
    all_is_well(&report, 50);
    let polls = operation(&report, "poll")["count"].as_u64().unwrap();
    assert!((75..=260).contains(&polls), "{report:#}");
    let all = report["operations"].as_array().unwrap();
    let renewals = all.iter().find(|one| one["operation"] == "renew");
    let renewals = renewals.map_or(0, |one| one["count"].as_u64().unwrap());
    assert!(renewals <= 12, "none renews again and again: {report:#}");
    assert!(all.iter().all(|one| one["operation"] != "enroll"));
}

#[test]
fn killed_and_started_again_in_the_middle_the_server_has_them_all_in_the_end() {
    let mut rig = Rig::new();
    let simulation = started(
        &rig,
        &format!(
            "exec enlist simulate --devices 150 --rate 30 --connections 8 --report report.json {}",
            named(&rig)
        ),
    );
    let enrolled = |rig: &Rig| {
        let groups = rig.json("enlist get groups -o json");
        let name = |group: &Value| group["name"].as_str().unwrap().to_owned();
        let mut names = groups.as_array().unwrap().iter().map(name);
        let group = names.find(|name| name.starts_with("sim-"));
        group.is_some_and(|group| {
            let devices = rig.json(&format!("enlist get devices -g {group} -o json"));
            devices.as_array().unwrap().len() >= 10
        })
    };
    eventually("some are enrolled", || enrolled(&rig));
    rig.kill();
    std::thread::sleep(Duration::from_secs(2));
    rig.start();
    let ran = Ran::of(&simulation.wait_with_output().unwrap());
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = report(&rig);
    all_is_well(&report, 150);
    assert!(report["retries"].as_u64().unwrap() > 0, "{report:#}");
    assert!(
        report["errors"]["no-answer"].as_u64().unwrap() > 0,
        "{report:#}"
    );
}

#[test]
fn interrupted_it_ends_early_with_a_report_that_says_so() {
    let shell = Shell::new();
    let mut simulation = started(
        &shell,
        "exec enlist simulate --devices 1000 --rate 10 --report report.json",
    );
    let mut told = BufReader::new(simulation.stderr.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap().contains("go into group")));
    std::thread::sleep(Duration::from_secs(4));
    shell.ok(&format!("kill -INT {}", simulation.id()));
    let ran = Ran::of(&simulation.wait_with_output().unwrap());
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = report(&shell);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["verdict"]["off_record"], 0, "{report:#}");
    let done = report["done"].as_u64().unwrap();
    assert!((1..1000).contains(&done), "{report:#}");
    let under_way = report["verdict"]["under_way"].as_u64().unwrap();
    assert!(under_way < 500, "most had not begun: {report:#}");
}

#[test]
fn devices_that_get_no_certificate_in_the_time_they_have_are_a_failure() {
    let shell = Shell::new();
    let ran = shell.sh("enlist simulate --devices 40 --rate 2 --duration 3s");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("problem: invariants-broken"), "{ran:?}");
    assert!(ran.out.contains("without a certificate"), "{ran:?}");
    assert!(ran.err.contains("--duration"), "{ran:?}");
    assert!(!ran.out.contains("of this fleet"), "{ran:?}");
}

#[test]
fn a_server_with_other_devices_is_left_alone_unless_that_is_meant() {
    let rig = Rig::new();
    rig.ok("enlist add device -g default somebody");
    let named = named(&rig);
    let line = format!("enlist simulate --devices 5 {named}");
    rig.refused(&line, 1, "server-has-devices");
    let groups = rig.ok("enlist get groups");
    assert!(!groups.contains("sim-"), "nothing was made: {groups}");
    rig.ok(&format!("{line} --yes"));
    let groups = rig.ok("enlist get groups");
    assert!(groups.contains("sim-"), "{groups}");
    // Devices of simulations before are no others.
    rig.ok("enlist delete device somebody -g default");
    rig.ok(&line);
}

#[test]
fn a_data_directory_is_taken_again_unless_others_have_filled_it() {
    let shell = Shell::new();
    let line = "enlist simulate --devices 5 --data kept";
    for _ in 0..2 {
        let ran = shell.sh(line);
        assert!(ran.err.contains("The devices stay on record"), "{ran:?}");
        assert_eq!(ran.status, 0, "{ran:?}");
    }
    shell.ok("enlist quickstart --exit --agents 1 --data q");
    let ran = shell.sh("enlist simulate --devices 5 --data q");
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("problem: server-has-devices"), "{ran:?}");
}

fn started(shell: &Shell, script: &str) -> Child {
    shell
        .command("sh")
        .args(["-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_can_not_be_written_in_the_end_is_said_before_it_begins() {
    let shell = Shell::new();
    for flag in ["--report", "--plot"] {
        let ran = shell.sh(&format!("enlist simulate {flag} nowhere/it"));
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("nowhere/it"), "{ran:?}");
        assert!(!ran.err.contains("The devices go into"), "{ran:?}");
    }
    let ran = shell.sh("enlist simulate --server-pid 1");
    assert_eq!(
        ran.status, 2,
        "without --server it would mean nothing: {ran:?}"
    );
}

#[test]
fn of_a_server_that_does_not_come_back_there_is_a_report_all_the_same() {
    let mut rig = Rig::new();
    let begun = std::time::Instant::now();
    rig.write("err", "");
    let mut simulator = rig
        .command("sh")
        .args(["-c", &format!(
            "exec enlist simulate --devices 200 --rate 10 --duration 4s --report report.json {} > out 2> err",
            named(&rig)
        )])
        .spawn()
        .unwrap();
    eventually("it begins", || {
        rig.read("err").contains("The devices go into")
    });
    std::thread::sleep(Duration::from_secs(2));
    rig.kill();
    eventually("it says that it waits", || {
        rig.read("err").contains("The server does not answer")
    });
    // Who does not want to wait says so.
    rig.ok(&format!("kill -INT {}", simulator.id()));
    let status = simulator.wait().unwrap();
    assert_eq!(status.code(), Some(3), "{}", rig.read("err"));
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(
        rig.read("out").contains("NOT COMPARED"),
        "{}",
        rig.read("out")
    );
    let report = report(&rig);
    assert!(report["verdict"]["not_compared"].is_string(), "{report:#}");
    assert!(
        operation(&report, "enroll")["count"].as_u64().unwrap() > 0,
        "{report:#}"
    );
}
