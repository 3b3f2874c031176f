//! How a device comes to be enrolled.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::atomic::Ordering;

use common::{Fault, HOUR, Policy, Rig};
use enlist_agent::config::HardwareSource;
use enlist_agent::disk::Disk;
use enlist_agent::drive::OpenError;
use enlist_agent::machine::Note;

#[test]
fn a_new_device_enrolls_and_confirms_its_certificate() {
    let rig = Rig::new();
    let mut agent = rig.start();
    let notes = rig.settle(&mut agent);
    assert!(matches!(&notes[..], [Note::Enrolled(who)] if who.name == "press-1"));
    rig.check_settled(&agent);
    assert_eq!(rig.hooks_run.load(Ordering::Relaxed), 1);
    assert_eq!(
        rig.server.borrow().asked,
        2,
        "one to enroll, one to confirm"
    );
}

#[test]
fn a_device_that_waits_for_approval_shows_its_code_and_keeps_asking() {
    let rig = Rig::with_policy(Policy::Approve);
    let mut agent = rig.start();
    let (notes, wait) = rig.pass(&mut agent);
    assert!(
        matches!(&notes[..], [Note::Pending { code: Some(code), .. }] if code == "K7P-3QF"),
        "{notes:?}"
    );
    assert!((15..=19).contains(&wait.as_secs()), "{wait:?}");
    // Asking again is not worth telling again.
    let notes = rig.until(&mut agent, |_| rig.server.borrow().asked == 5);
    assert!(notes.is_empty(), "{notes:?}");
    drop(agent);

    let agent = rig.start();
    let kept = agent.vault().state().unwrap().unwrap();
    let json = String::from_utf8(kept.to_json()).unwrap();
    assert!(json.contains("K7P-3QF"), "it is kept for `status`: {json}");
    drop(agent);

    rig.server.borrow_mut().approve();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn an_enrollment_whose_reply_was_lost_for_a_lifetime_is_recovered() {
    let rig = Rig::new();
    rig.server
        .borrow_mut()
        .faults
        .push_back(Some(Fault::LoseReply));
    let mut agent = rig.start();
    rig.pass(&mut agent);
    drop(agent);
    rig.clock.advance(500 * HOUR);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    assert_eq!(Rig::identity(&agent).name, "press-1");
}

#[test]
fn a_pre_enrolled_device_renews_onto_a_key_of_its_own_at_its_first_start() {
    let rig = Rig::pre_enrolled();
    let mut agent = rig.start();
    let notes = rig.settle(&mut agent);
    assert!(
        matches!(&notes[..], [Note::TakenUp(_), Note::Renewed(_)]),
        "{notes:?}"
    );
    rig.check_settled(&agent);
    let quadruple = rig.configuration.quadruple.as_ref().unwrap();
    let slot = Rig::identity(&agent).slot;
    let key = agent.vault().key(slot).unwrap();
    assert_ne!(
        key.public_key().spki_der(),
        quadruple.chain[0].spki_der(),
        "the key from the factory is not used any more"
    );

    // Its own state beats the file from then on.
    drop(agent);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert_eq!(Rig::identity(&agent).slot, slot);
}

#[test]
fn the_identity_of_another_device_is_refused() {
    let (mut rig, agent) = Rig::enrolled();
    drop(agent);
    rig.configuration.quadruple = Some(rig.strangers_quadruple());
    assert!(matches!(
        rig.try_start(),
        Err(OpenError::AnotherDevice { .. })
    ));
}

#[test]
fn a_changed_configuration_starts_an_enrollment_over_with_another_key() {
    let mut rig = Rig::with_policy(Policy::Approve);
    let mut agent = rig.start();
    rig.pass(&mut agent);
    let token = |agent: &common::TestAgent| agent.machine().state().unwrap().token.clone();
    let before = token(&agent);
    drop(agent);
    rig.configuration.name = Some("press-2".parse().unwrap());
    rig.server.borrow_mut().approve();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert_eq!(Rig::identity(&agent).name, "press-2");
    assert_ne!(token(&agent).expose(), before.expose());
    rig.check_settled(&agent);
}

#[test]
fn an_enrollment_under_way_stays_the_same_when_the_hardware_changes() {
    let mut rig = Rig::new();
    rig.server
        .borrow_mut()
        .faults
        .push_back(Some(Fault::LoseReply));
    let mut agent = rig.start();
    rig.pass(&mut agent);
    drop(agent);
    rig.configuration.hardware = Some(HardwareSource::Value("SOMETHING-ELSE".into()));
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_prefix_and_the_hardware_make_the_name() {
    let mut rig = Rig::new();
    rig.configuration.name = None;
    rig.configuration.name_prefix = Some("press".parse().unwrap());
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let name = Rig::identity(&agent).name;
    let short = name.strip_prefix("press-").unwrap();
    assert_eq!(short.len(), 12);

    let mut other = Rig::new();
    other.configuration.name = None;
    other.configuration.name_prefix = Some("press".parse().unwrap());
    other.configuration.hardware = Some(HardwareSource::Value("PC0A1B2D".into()));
    let mut agent = other.start();
    other.settle(&mut agent);
    assert_ne!(Rig::identity(&agent).name, name);
}

#[test]
fn a_random_identity_is_made_once_and_kept() {
    let mut rig = Rig::new();
    rig.configuration.hardware = None;
    drop(rig.start());
    let made = rig.disk.borrow().read("hardware-id").unwrap().unwrap();
    drop(rig.start());
    let kept = rig.disk.borrow().read("hardware-id").unwrap().unwrap();
    assert_eq!(made, kept);
}
