//! What a device does when things go wrong: on the network, on the server, on its own disk.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::time::Duration;

use common::{Fault, HOUR, Rig, START, Spoil};
use enlist_agent::Progress;
use enlist_agent::disk::Disk;
use enlist_agent::drive::OpenError;
use enlist_agent::machine::{Note, Verdict};

fn troubles(notes: &[Note]) -> Vec<&str> {
    let message = |note: &Note| match note {
        Note::Trouble { failure, .. } => Some(failure.message.clone().leak() as &str),
        _ => None,
    };
    notes.iter().filter_map(message).collect()
}

#[test]
fn lost_requests_and_lost_replies_leave_one_device_and_one_certificate() {
    for fault in [Fault::LoseRequest, Fault::LoseReply, Fault::Foreign(502)] {
        let rig = Rig::new();
        rig.server.borrow_mut().faults.extend([Some(fault); 4]);
        let mut agent = rig.start();
        let notes = rig.settle(&mut agent);
        assert!(matches!(notes.last(), Some(Note::Enrolled(_))), "{notes:?}");
        rig.check_settled(&agent);
        assert_eq!(rig.server.borrow().issued(), 1);

        rig.server.borrow_mut().faults.extend([Some(fault); 4]);
        agent.renew_now();
        rig.settle(&mut agent);
        rig.check_settled(&agent);
        assert_eq!(rig.server.borrow().issued(), 2);
    }
}

#[test]
fn waits_between_attempts_grow_and_a_servers_wish_is_obeyed() {
    let rig = Rig::new();
    rig.server
        .borrow_mut()
        .faults
        .extend([Some(Fault::LoseRequest); 20]);
    let mut agent = rig.start();
    let mut waited = Duration::ZERO;
    for _ in 0..20 {
        let (_, wait) = rig.pass(&mut agent);
        assert!(wait <= Duration::from_secs(300));
        waited += wait;
        rig.clock.set(enlist_core::Clock::now(&*rig.clock) + wait);
    }
    assert!(waited > Duration::from_secs(300), "{waited:?}");
    assert_eq!(rig.server.borrow().asked, 20);
}

#[test]
fn a_reply_that_does_not_fit_is_not_taken() {
    let spoils = [
        (Spoil::AnotherKey, "another key"),
        (Spoil::AnotherDevice, "another device"),
        (Spoil::AnotherRoot, "do not chain"),
        (Spoil::NoCertificate, "can't be read"),
        (Spoil::HostileName, "no name"),
    ];
    for (spoil, why) in spoils {
        let rig = Rig::new();
        let fault = Some(Fault::Spoil(spoil));
        rig.server.borrow_mut().faults.push_back(fault);
        let mut agent = rig.start();
        let notes = rig.settle(&mut agent);
        assert!(troubles(&notes)[0].contains(why), "{notes:?}");
        rig.check_settled(&agent);

        let before = Rig::identity(&agent);
        rig.server.borrow_mut().faults.push_back(fault);
        agent.renew_now();
        let (notes, _) = rig.pass(&mut agent);
        assert!(troubles(&notes)[0].contains(why), "{notes:?}");
        assert_eq!(
            Rig::identity(&agent).slot,
            before.slot,
            "the last good state"
        );
        rig.check_current();
        rig.settle(&mut agent);
        rig.check_settled(&agent);
    }
}

#[test]
fn a_suspended_device_says_so_once_keeps_everything_and_comes_back() {
    let (rig, mut agent) = Rig::enrolled();
    let before = Rig::identity(&agent);
    rig.server.borrow_mut().suspend(true);
    let asked = rig.server.borrow().asked;
    let notes = rig.until(&mut agent, |_| rig.now() > START + 24 * HOUR);
    let told = |again| {
        let is = |note: &&Note| {
            matches!(note, Note::Trouble { failure, again: told, .. }
            if failure.slug.as_deref() == Some("device-suspended") && *told == again)
        };
        notes.iter().filter(is).count()
    };
    assert_eq!(told(false), 1);
    let asked = rig.server.borrow().asked - asked;
    assert!(
        (20..=25).contains(&asked),
        "it asks slowly: {asked} times in a day"
    );
    assert_eq!(Rig::identity(&agent), before);
    rig.check_current();

    rig.server.borrow_mut().suspend(false);
    let notes = rig.until(&mut agent, |agent| agent.machine().trouble().is_none());
    assert!(matches!(notes.last(), Some(Note::Recovered)));
}

#[test]
fn a_revoked_device_deletes_nothing() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().revoke();
    let before = Rig::identity(&agent);
    let notes = rig.until(&mut agent, |_| rig.now() > START + 30 * 24 * HOUR);
    assert!(
        notes
            .iter()
            .all(|note| matches!(note, Note::Trouble { failure, .. }
        if failure.verdict == Verdict::GiveUp || failure.verdict == Verdict::Expired))
    );
    let after = Rig::identity(&agent);
    assert_eq!((after.slot, after.validity), (before.slot, before.validity));
    rig.check_current();
}

#[test]
fn a_server_that_is_gone_for_a_month_is_asked_calmly_and_found_again() {
    let (rig, mut agent) = Rig::enrolled();
    let before = Rig::identity(&agent);
    rig.server.borrow_mut().gone_away = true;
    let asked = rig.server.borrow().asked;
    let mut notes = Vec::new();
    for day in 1..=30 {
        notes.extend(rig.until(&mut agent, |_| rig.now() > START + day * 24 * HOUR));
    }
    let end = rig.now();
    let asked = rig.server.borrow().asked - asked;
    assert!(
        (5_000..30 * 24 * 60).contains(&asked),
        "{asked} questions in a month"
    );
    let told = |note: &&Note| matches!(note, Note::Trouble { again: false, .. });
    assert_eq!(notes.iter().filter(told).count(), 1, "it is told once");
    let kept = agent.vault().trouble().unwrap().unwrap();
    assert!(kept.message.contains("lost"), "{kept:?}");
    assert!(
        kept.at.as_secs() < START + 24 * HOUR,
        "since when: {kept:?}"
    );
    assert_eq!(Rig::identity(&agent).slot, before.slot);
    rig.check_current();

    // Its certificate has run out long since.
    rig.server.borrow_mut().gone_away = false;
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert!(agent.vault().trouble().unwrap().is_none());
    assert!(rig.now() - end < HOUR, "within minutes");
}

#[test]
fn a_full_disk_is_waited_out() {
    let (rig, mut agent) = Rig::enrolled();
    rig.fuse.set(0, common::When::Before);
    agent.renew_now();
    let (notes, _) = rig.pass(&mut agent);
    assert!(troubles(&notes)[0].contains("slots/2/key"), "{notes:?}");
    rig.fuse.repair();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_damaged_state_is_not_gone_on_from() {
    let (rig, agent) = Rig::enrolled();
    drop(agent);
    rig.disk.borrow_mut().write("state.json", b"{").unwrap();
    assert!(matches!(rig.try_start(), Err(OpenError::Vault(_))));
    assert_eq!(rig.disk.borrow().read("state.json").unwrap().unwrap(), b"{");
}

#[test]
fn a_step_does_one_thing() {
    let rig = Rig::new();
    let mut agent = rig.start();
    for _ in 0..4 {
        let before = rig.server.borrow().asked;
        assert!(matches!(agent.step(), Progress::Went(_)));
        assert!(rig.server.borrow().asked - before <= 1);
    }
}

#[test]
fn a_server_that_calls_every_certificate_expired_is_not_asked_without_end() {
    let (rig, mut agent) = Rig::enrolled();
    let asked = rig.server.borrow().asked;
    rig.server.borrow_mut().calls_all_expired = true;
    rig.clock.advance(2 * HOUR);
    let start = rig.now();
    rig.until(&mut agent, |_| rig.now() > start + 24 * HOUR);
    let asked = rig.server.borrow().asked - asked;
    assert!(asked < 24 * 5, "{asked} questions in a day");
}
