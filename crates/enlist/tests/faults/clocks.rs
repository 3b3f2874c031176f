//! The clock of one of two servers is wrong, and jumps.

use std::time::{Duration, Instant};

use enlist_testkit::{Answer, PostgresLab, Receiver, at_time};

use super::crowd::{Crowd, urls};
use super::rig::{eventually, free_port};
use super::site::{Server, Site};
use super::{quick_or_long, record};

/// A server with a clock that is ahead by what the file `clock` says, and its metrics at that port.
fn by_that_clock<'a>(site: &'a Site, name: &str, metrics: u16) -> Server<'a> {
    let file = site.shell.work().join("clock").display().to_string();
    let [library, clock] = enlist_testkit::FAKE_TIME;
    let metrics = format!("127.0.0.1:{metrics}");
    let clock = [
        ("ENLIST_METRICS_LISTEN", metrics.as_str()),
        library,
        clock,
        ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
        ("FAKETIME_NO_CACHE", "1"),
    ];
    site.server_with(name, &clock)
}

/// What it takes to run a PostgreSQL, and to lie about the time.
fn lab() -> Option<PostgresLab> {
    let lab = PostgresLab::start()?;
    enlist_testkit::fakes_time().then_some(lab)
}

#[test]
fn a_server_whose_clock_is_ten_minutes_off_and_jumps_refuses_and_loses_nothing() {
    let Some(lab) = lab() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off"]);
    let site = Site::new(Some(&cluster.database("clocks")));
    let mut one = site.server("one");
    site.shell.turn("+0d");
    let mut two = by_that_clock(&site, "two", free_port());
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), quick_or_long(300, 3_000));
    // Each device enrolls at one of them, and renews at the other.
    let held = crowd.comes(&site, &urls(&[&one, &two]), |progress| {
        for jump in ["+10m", "-10m", "+10m", "+0d"] {
            progress.wait_for(100);
            site.shell.turn(jump);
        }
    });
    assert!(one.is_up() && two.is_up());
    record::is_right(&site, &one, &crowd, &held);
}

#[test]
fn a_clock_that_was_years_ahead_holds_nothing_up_once_it_is_right_again() {
    let Some(lab) = lab() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off"]);
    let site = Site::new(Some(&cluster.database("clocks")));
    let mut one = site.server("one");
    let receiver = Receiver::start(|_| Answer::Status(200));
    site.shell.write("erp-ca.pem", receiver.ca_pem());
    let add = format!(
        "enlist add webhook erp --url {} --ca erp-ca.pem",
        receiver.url()
    );
    site.ok(&one, &add);
    let secret = site.ok(
        &one,
        "enlist add group crowd --enrollment open >/dev/null
         enlist add secret -g crowd --rate 200/s",
    );
    one.kill();

    site.shell.turn("+700d");
    let metrics = free_port();
    let mut two = by_that_clock(&site, "two", metrics);
    let early = site.shell.sh(&format!(
        "export ENLIST_SERVER={} ENLIST_CA=one.root.pem
         {} enlist provision early -g crowd -s {}",
        two.url,
        at_time("+700d"),
        secret.trim()
    ));
    assert_eq!(early.status, 0, "{early:?}");
    eventually("it is told", || {
        receiver.received().iter().any(|one| {
            let message = one.json();
            message["type"] == "device-enrolled"
        })
    });
    eventually("it says that its clock is wrong", || {
        two.log().contains("s ahead") && two.log().contains("clock and the database's differ")
    });
    let told = site.shell.ok(&format!(
        "curl -sS http://127.0.0.1:{metrics}/metrics | grep '^enlist_clock_ahead_seconds '"
    ));
    let ahead: f64 = told.split_whitespace().last().unwrap().parse().unwrap();
    assert!((699.0..701.0).contains(&(ahead / 86_400.0)), "{told}");
    two.kill();

    let told = receiver.received().len();
    one.start();
    let crowd = Crowd::new("crowd", secret.trim(), 30);
    let begun = Instant::now();
    let held = crowd.comes(&site, &urls(&[&one]), |_| {});
    assert!(begun.elapsed() < Duration::from_secs(20), "nobody waits");
    assert_eq!(held.len(), 30);
    eventually("all of it is told", || {
        receiver.received().len() >= told + 60
    });
    record::is_intact(&site, &one);
}
