//! A disk that moves to another board, or is copied to one.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, Rig, TestAgent};
use enlist_agent::config::HardwareSource;
use enlist_agent::disk::Disk;
use enlist_agent::machine::Note;
use enlist_core::ProvisioningSecret;
use enlist_signed::Order;
use enlist_wire::OnHardwareChange;

/// An enrolled device whose disk is on another board now.
fn moved(policy: OnHardwareChange, secret: bool) -> (Rig, TestAgent) {
    let mut rig = Rig::new();
    rig.configuration.name = None;
    rig.configuration.name_prefix = Some("press".parse().unwrap());
    rig.server.borrow_mut().desk.policy.on_hardware_change = policy;
    if secret {
        let secret = ProvisioningSecret::generate(&*rig.rng);
        rig.configuration.enrollment_token = Some(secret);
    }
    let mut agent = rig.start();
    rig.settle(&mut agent);
    drop(agent);
    rig.configuration.hardware = Some(HardwareSource::Value("OTHER-7".into()));
    let agent = rig.start();
    (rig, agent)
}

#[test]
fn the_same_hardware_is_nothing_to_talk_about() {
    let (rig, agent) = Rig::enrolled();
    drop(agent);
    let mut agent = rig.start();
    let notes = rig.settle(&mut agent);
    assert!(notes.is_empty(), "{notes:?}");
    assert!(agent.machine().changed_hardware().is_none());
}

#[test]
fn a_moved_disk_reports_itself_and_renews_nothing_until_somebody_accepts_it() {
    let (rig, mut agent) = moved(OnHardwareChange::Ask, true);
    let end = rig.now() + 6 * DAY;
    let notes = rig.until(&mut agent, |_| rig.now() > end);
    let told = notes
        .iter()
        .filter(|note| matches!(note, Note::OtherHardware { is, .. } if is == "named:OTHER-7"));
    assert_eq!(told.count(), 1);
    assert_eq!(rig.server.borrow().issued(), 1, "nothing is renewed");
    let report = rig.server.borrow().desk.report.clone().unwrap();
    assert_eq!(report.changed_hardware.unwrap().value, "OTHER-7");

    // What renews is refused as long as that is so.
    let number = rig.server.borrow_mut().order(Order::RotateKey);
    let accept = rig.server.borrow_mut().order(Order::AcceptHardware);
    rig.until(&mut agent, |agent| {
        agent.machine().changed_hardware().is_none()
    });
    rig.until(&mut agent, |_| {
        rig.server.borrow().desk.acknowledged.len() == 2
    });
    {
        let server = rig.server.borrow();
        let of = |n| server.desk.acknowledged.iter().find(|one| one.number == n);
        assert!(!of(number).unwrap().done);
        assert!(of(accept).unwrap().done);
    }
    rig.until(&mut agent, |_| rig.server.borrow().issued() == 2);
    rig.settle(&mut agent);
    rig.check_settled(&agent);

    // It stays accepted.
    drop(agent);
    assert!(rig.start().machine().changed_hardware().is_none());
}

#[test]
fn a_moved_disk_whose_certificate_runs_out_renews_nothing_keeps_calm_and_can_still_be_accepted() {
    let (rig, mut agent) = moved(OnHardwareChange::Ask, true);
    let asked = rig.server.borrow().asked;
    let end = rig.now() + 30 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(rig.server.borrow().issued(), 1);
    let asked = rig.server.borrow().asked - asked;
    assert!(asked < 30 * 26, "{asked} questions in a month");

    // It still hears what it waits for, whatever stands before that, and then it recovers.
    let token = rig.server.borrow_mut().order(Order::RotateToken);
    let accept = rig.server.borrow_mut().order(Order::AcceptHardware);
    rig.until(&mut agent, |agent| {
        agent.machine().changed_hardware().is_none()
    });
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(rig.server.borrow().issued(), 2);
    rig.until(&mut agent, |_| {
        rig.server.borrow().desk.acknowledged.len() == 2
    });
    let server = rig.server.borrow();
    let done = |number| {
        let known = &server.desk.acknowledged;
        known.iter().find(|one| one.number == number).unwrap().done
    };
    assert_eq!((done(token), done(accept)), (false, true));
}

#[test]
fn where_the_group_refuses_other_hardware_no_credential_is_used_on_it() {
    let (mut rig, mut agent) = moved(OnHardwareChange::Refuse, true);
    let asked = rig.server.borrow().asked;
    let end = rig.now() + 10 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(rig.server.borrow().asked, asked, "it asks nothing");
    let slug = agent.machine().trouble().unwrap().slug.clone();
    assert_eq!(slug.as_deref(), Some("hardware-changed"));
    drop(agent);

    // Back on its own board it goes on.
    rig.configuration.hardware = Some(HardwareSource::Value("PC0A1B2C".into()));
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn where_the_group_says_so_a_moved_disk_enrolls_anew_as_the_hardware_it_is() {
    let (rig, mut agent) = moved(OnHardwareChange::Reenroll, true);
    let before = Rig::identity(&agent);
    let token = agent.machine().state().unwrap().token.expose().to_owned();
    let kept = format!("slots/{}", before.slot);
    rig.until(&mut agent, |agent| agent.machine().identity().is_none());
    assert_eq!(
        rig.disk.borrow().target("current").unwrap(),
        Some(kept),
        "until it has worked, what was there stays"
    );
    rig.settle(&mut agent);
    let after = Rig::identity(&agent);
    assert_ne!(after.device_id, before.device_id);
    assert_ne!(after.name, before.name);
    let state = agent.machine().state().unwrap();
    assert_ne!(state.token.expose(), token);
    assert!(state.aside.is_none());
    assert_eq!(
        rig.disk.borrow().list("slots").unwrap(),
        [after.slot.to_string()]
    );
    assert_eq!(rig.server.borrow().devices(), 2);

    // That is its hardware now.
    drop(agent);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert_eq!(Rig::identity(&agent), after);
}

#[test]
fn without_a_secret_it_can_only_ask() {
    let (rig, mut agent) = moved(OnHardwareChange::Reenroll, false);
    let end = rig.now() + 2 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    let report = rig.server.borrow().desk.report.clone().unwrap();
    assert!(report.changed_hardware.is_some());
    assert_eq!(rig.server.borrow().devices(), 1);
}

#[test]
fn a_device_of_an_earlier_agent_takes_the_hardware_it_is_on() {
    let (rig, agent) = Rig::enrolled();
    drop(agent);
    rig.disk.borrow_mut().erase("identity.json").unwrap();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert!(agent.machine().changed_hardware().is_none());
    assert!(agent.vault().hardware_record().unwrap().unwrap().is_ok());
}
