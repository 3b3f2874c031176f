//! Devices whose clock is anything but right.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, HOUR, Rig, START, TestAgent};
use enlist_agent::disk::Disk;
use enlist_agent::machine::Note;

const YEAR: i64 = 365 * DAY;

fn days(rig: &Rig, agent: &mut TestAgent, days: i64) -> Vec<Note> {
    let end = rig.now() + days * DAY;
    rig.until(agent, |_| rig.now() > end)
}

#[test]
fn a_device_that_starts_in_1970_or_in_2099_enrolls_and_renews() {
    for off in [-START, 72 * YEAR, 10 * YEAR, -2 * YEAR] {
        let rig = Rig::with_wrong_clock(off);
        let mut agent = rig.start();
        let notes = rig.settle(&mut agent);
        assert!(
            notes
                .iter()
                .any(|note| matches!(note, Note::ClockSet { .. })),
            "{off}: {notes:?}"
        );
        assert!(
            notes.iter().any(|note| matches!(note, Note::Enrolled(_))),
            "{off}: {notes:?}"
        );
        days(&rig, &mut agent, 28);
        rig.settle(&mut agent);
        let issued = rig.server.borrow().issued();
        assert!((6..=8).contains(&issued), "{off}: {issued} in 28 days");
        assert_eq!(rig.server.borrow().desk.times_asked, 1, "{off}: asked once");
        rig.check_settled(&agent);
    }
}

#[test]
fn a_clock_that_is_put_right_after_enrolling_makes_no_certificate_old() {
    // Wrong, but not so wrong that the server's certificates would not hold.
    for off in [-20 * DAY, 20 * DAY] {
        let rig = Rig::with_wrong_clock(off);
        let mut agent = rig.start();
        rig.settle(&mut agent);
        days(&rig, &mut agent, 3);
        assert_eq!(rig.server.borrow().issued(), 1, "{off}");
        let validity = Rig::identity(&agent).validity.unwrap();
        assert_eq!(validity.skew, 0, "{off}");
        assert_eq!(agent.now().as_secs(), rig.now(), "{off}");
    }
}

#[test]
fn a_device_without_a_battery_starts_again_where_it_was() {
    let rig = Rig::with_wrong_clock(-START);
    for _ in 0..10 {
        let mut agent = rig.start();
        rig.settle(&mut agent);
        days(&rig, &mut agent, 1);
        drop(agent);
        // The clock of the system starts over.
        let system = rig.system.as_ref().unwrap();
        system.set_off(-rig.now());
    }
    let issued = rig.server.borrow().issued();
    assert!((2..=4).contains(&issued), "{issued} in ten days and starts");
    let floor = rig.disk.borrow().read("floor").unwrap().unwrap();
    let floor = String::from_utf8(floor).unwrap();
    let floor: i64 = floor.lines().next().unwrap().parse().unwrap();
    assert!(floor > START + 9 * DAY, "the floor has risen with the time");
}

#[test]
fn a_restart_in_2099_renews_nothing_before_its_time() {
    let rig = Rig::with_wrong_clock(0);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    drop(agent);
    rig.system.as_ref().unwrap().set_off(72 * YEAR);
    for _ in 0..5 {
        let mut agent = rig.start();
        rig.settle(&mut agent);
        days(&rig, &mut agent, 0);
    }
    assert_eq!(rig.server.borrow().issued(), 1);
}

#[test]
fn a_jump_of_ten_years_neither_starts_a_storm_nor_stops_renewing() {
    for jump in [10 * YEAR, -10 * YEAR] {
        let rig = Rig::with_wrong_clock(0);
        let mut agent = rig.start();
        rig.settle(&mut agent);
        days(&rig, &mut agent, 2);
        rig.system.as_ref().unwrap().set_off(jump);
        days(&rig, &mut agent, 28);
        rig.system.as_ref().unwrap().set_off(0);
        days(&rig, &mut agent, 28);
        rig.settle(&mut agent);
        let issued = rig.server.borrow().issued();
        assert!((11..=14).contains(&issued), "{jump}: {issued} in 58 days");
        rig.check_settled(&agent);
    }
}

#[test]
fn a_time_that_is_grossly_wrong_is_refused_and_told() {
    // Before the agent was built, and after the server's certificates end.
    for claim in [START - 2 * YEAR, START + 20 * YEAR] {
        let rig = Rig::with_wrong_clock(-START);
        {
            let mut server = rig.server.borrow_mut();
            server.desk.claims_time = Some(claim);
            server.desk.chain = Some((START - 3 * YEAR, START + 5 * YEAR));
            if claim < START {
                // A clock below the floor is reason enough to ask.
                server.desk.chain = Some((START - 300 * DAY, START + 5 * YEAR));
            }
        }
        let mut agent = rig.start();
        let (notes, _) = rig.pass(&mut agent);
        assert!(
            notes
                .iter()
                .any(|note| matches!(note, Note::NotTaken { what, .. }
                if *what == "the server's time")),
            "{claim}: {notes:?}"
        );
        assert!(
            agent.now().as_secs() < START,
            "{claim}: it was not believed"
        );

        // With a server that tells the truth it goes on.
        rig.server.borrow_mut().desk.claims_time = None;
        rig.settle(&mut agent);
        rig.check_settled(&agent);
    }
}

#[test]
fn the_floor_is_written_once_an_hour_at_most() {
    let mut rig = Rig::with_wrong_clock(0);
    rig.configuration.polling_interval = std::time::Duration::from_secs(300);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let end = rig.now() + 12 * HOUR;
    rig.until(&mut agent, |_| {
        let text = rig.disk.borrow().read("floor").unwrap();
        seen.borrow_mut().extend(text);
        rig.now() > end
    });
    let seen = seen.into_inner();
    assert!(
        (11..=13).contains(&seen.len()),
        "{} in twelve hours",
        seen.len()
    );
}
