//! How a device comes from one certificate to the next.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{Fault, HOUR, Rig, START};
use enlist_agent::machine::{Note, Verdict};

#[test]
fn an_enrolled_device_asks_once_in_a_polling_interval_and_renews_in_time() {
    let (rig, mut agent) = Rig::enrolled();
    let asked = rig.server.borrow().asked;
    let notes = rig.until(&mut agent, |_| rig.now() >= START + 10 * HOUR);
    assert!(notes.is_empty(), "{notes:?}");
    let asked = rig.server.borrow().asked - asked;
    assert!((9..=11).contains(&asked), "{asked} questions in ten hours");

    let notes = rig.until(&mut agent, |agent| {
        agent.machine().identity().unwrap().counter == 1
    });
    assert!(matches!(&notes[..], [Note::Renewed(_)]));
    let hours = (rig.now() - START) / HOUR;
    assert!(
        (111..=121).contains(&hours),
        "renewed after {hours} of 168 hours"
    );
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(rig.hooks_run.load(Ordering::Relaxed), 2);
}

#[test]
fn a_device_with_a_threshold_renews_when_less_is_left() {
    let mut rig = Rig::new();
    rig.configuration.cert_refresh_threshold = Some(Duration::from_secs(24 * 3600));
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.until(&mut agent, |agent| {
        agent.machine().identity().unwrap().counter == 1
    });
    let hours = (rig.now() - START) / HOUR;
    assert!(
        (143..=151).contains(&hours),
        "renewed after {hours} of 168 hours"
    );
}

#[test]
fn a_restart_asks_for_nothing_new() {
    let (rig, agent) = Rig::enrolled();
    let before = Rig::identity(&agent);
    drop(agent);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert_eq!(Rig::identity(&agent), before);
    assert_eq!(rig.server.borrow().issued(), 1);
}

#[test]
fn an_expired_device_recovers_by_token_and_key() {
    let (rig, mut agent) = Rig::enrolled();
    rig.clock.advance(1000 * HOUR);
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(Rig::identity(&agent).counter, 1);
}

#[test]
fn a_device_whose_clock_is_slow_recovers_when_the_server_calls_its_certificate_expired() {
    let (rig, mut agent) = Rig::enrolled();
    // The server's clock and the device's are one here, so the refusal is scripted.
    agent.renew_now();
    let refusal = Fault::Refuse("certificate-expired");
    rig.server.borrow_mut().faults.push_back(Some(refusal));
    let notes = rig.settle(&mut agent);
    assert!(matches!(
        &notes[0],
        Note::Trouble { failure, .. } if failure.verdict == Verdict::Expired
    ));
    rig.check_settled(&agent);
}

#[test]
fn a_renewal_whose_reply_was_lost_for_a_lifetime_is_recovered() {
    let (rig, mut agent) = Rig::enrolled();
    agent.renew_now();
    rig.server
        .borrow_mut()
        .faults
        .push_back(Some(Fault::LoseReply));
    rig.pass(&mut agent);
    drop(agent);
    rig.clock.advance(500 * HOUR);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_device_whose_clock_is_ahead_does_not_renew_without_end() {
    for days in [5, 8, 60] {
        let (rig, mut agent) = Rig::enrolled();
        rig.server.borrow_mut().clock_behind = days * 24 * HOUR;
        let issued = rig.server.borrow().issued();
        let start = rig.now();
        agent.renew_now();
        rig.until(&mut agent, |_| rig.now() > start + 24 * HOUR);
        rig.check_settled(&agent);
        let issued = rig.server.borrow().issued() - issued;
        assert_eq!(issued, 1, "{days} days ahead");

        // It renews at two thirds of the lifetime all the same.
        rig.until(&mut agent, |agent| Rig::identity(agent).counter == 2);
        let hours = (rig.now() - start) / HOUR;
        assert!((111..=121).contains(&hours), "{days} days ahead: {hours}");

        // And once its clock is put right, by the right one.
        rig.settle(&mut agent);
        rig.clock.advance(-days * 24 * HOUR);
        rig.server.borrow_mut().clock_behind = 0;
        let start = rig.now();
        rig.until(&mut agent, |agent| Rig::identity(agent).counter == 3);
        let hours = (rig.now() - start) / HOUR;
        assert!(
            (111..=121).contains(&hours),
            "{days} days, put right: {hours}"
        );
    }
}

#[test]
fn a_clock_that_is_set_back_ends_a_wait() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().suspend(true);
    rig.until(&mut agent, |agent| agent.machine().trouble().is_some());
    let (_, wait) = rig.pass(&mut agent);
    assert!(wait >= Duration::from_secs(3600));
    let asked = rig.server.borrow().asked;
    rig.clock.advance(-12 * HOUR);
    rig.pass(&mut agent);
    assert!(rig.server.borrow().asked > asked);
}
