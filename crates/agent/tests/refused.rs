//! What a device makes of it that the server does not let it in.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Fault, HOUR, Policy, Rig, START, TestAgent, When};
use enlist_agent::Progress;
use enlist_agent::config::HardwareSource;
use enlist_agent::disk::Disk;
use enlist_agent::machine::Note;
use enlist_core::ProvisioningSecret;

const TYPO: &str = "named:PC0A1B2C";
const RIGHT: &str = "named:R-77";

fn faulty(faults: &[Fault]) -> Rig {
    let rig = Rig::new();
    let faults = faults.iter().copied().map(Some);
    rig.server.borrow_mut().faults.extend(faults);
    rig
}

/// The device comes up again with the identity that it should have had from the beginning.
fn corrected(rig: &mut Rig, agent: TestAgent) -> TestAgent {
    drop(agent);
    rig.configuration.hardware = Some(HardwareSource::Value("R-77".into()));
    let mut agent = rig.start();
    rig.settle(&mut agent);
    agent
}

fn claims(rig: &Rig) -> Vec<String> {
    rig.server.borrow().proofs.claims.clone()
}

#[test]
fn after_a_refusal_the_device_asks_as_what_the_configuration_says_by_then() {
    for slug in [
        "manifest-not-listed",
        "secret-wrong",
        "attestation-required",
    ] {
        let mut rig = faulty(&[Fault::Refuse(slug)]);
        let mut agent = rig.start();
        rig.pass(&mut agent);
        let before = agent.machine().state().unwrap().token.clone();
        let agent = corrected(&mut rig, agent);
        assert_eq!(claims(&rig), [RIGHT], "{slug}");
        let token = &agent.machine().state().unwrap().token;
        assert_ne!(token.expose(), before.expose());
        rig.check_settled(&agent);
        assert!(rig.disk.borrow().read("trouble.json").unwrap().is_none());
    }
}

#[test]
fn what_was_open_is_asked_as_it_was_and_becomes_another_at_once_when_it_is_refused() {
    let mut rig = faulty(&[Fault::LoseRequest, Fault::Refuse("manifest-not-listed")]);
    let mut agent = rig.start();
    rig.pass(&mut agent);
    let agent = corrected(&mut rig, agent);
    assert_eq!(claims(&rig), [RIGHT]);
    assert!(rig.now() < START + 60, "nobody waits an hour for it");
    rig.check_settled(&agent);
}

#[test]
fn an_answer_that_may_be_lost_is_asked_for_with_the_same_key_whatever_was_refused_before() {
    let lost_and_refused = [Fault::LoseReply, Fault::Refuse("secret-wrong")];
    let refused_and_lost = [Fault::Refuse("secret-expired"), Fault::LoseReply];
    for faults in [lost_and_refused, refused_and_lost] {
        let mut rig = faulty(&faults);
        let mut agent = rig.start();
        rig.until(&mut agent, |_| rig.server.borrow().asked == 2);
        let agent = corrected(&mut rig, agent);
        assert_eq!(claims(&rig), [TYPO, TYPO], "{faults:?}");
        assert_eq!(rig.server.borrow().issued(), 1);
        rig.check_settled(&agent);
    }
}

#[test]
fn a_refusal_and_a_correction_survive_a_power_cut_at_every_point() {
    for when in [When::Before, When::After] {
        for at in 0.. {
            let mut rig = Rig::new();
            rig.server.borrow_mut().proofs.unlisted = Some(TYPO);
            rig.fuse.set(at, when);
            if let Ok(mut agent) = rig.try_start() {
                while !rig.fuse.is_blown() && !matches!(agent.step(), Progress::Wait(_)) {}
            }
            // The first attempt, or the one that was corrected, is cut off.
            let was_blown = rig.fuse.is_blown();
            rig.configuration.hardware = Some(HardwareSource::Value("R-77".into()));
            if !was_blown && let Ok(mut agent) = rig.try_start() {
                while !rig.fuse.is_blown() && !agent.machine().is_settled(agent.now()) {
                    agent.step();
                }
            }
            let is_over = !rig.fuse.is_blown();
            rig.fuse.repair();
            let mut agent = rig.start();
            rig.settle(&mut agent);
            assert_eq!(claims(&rig).last().unwrap(), RIGHT, "{at}");
            assert_eq!(rig.server.borrow().issued(), 1);
            rig.check_settled(&agent);
            if is_over {
                assert!(at >= 12, "two keys, two attempts, one certificate: {at}");
                break;
            }
        }
    }
}

#[test]
fn keys_of_refused_attempts_do_not_pile_up() {
    let mut rig = faulty(&[Fault::Refuse("manifest-not-listed"); 20]);
    for number in 0..8 {
        let name = format!("TYPO-{number}");
        rig.configuration.hardware = Some(HardwareSource::Value(name));
        let mut agent = rig.start();
        rig.pass(&mut agent);
        assert!(rig.disk.borrow().list("slots").unwrap().len() <= 2);
    }
    let agent = rig.start();
    corrected(&mut rig, agent);
    assert_eq!(claims(&rig), [RIGHT]);
}

#[test]
fn a_refusal_is_on_record_before_a_command_that_was_refused_ends() {
    for slug in [
        "manifest-not-listed",
        "tombstoned",
        "attestation-unknown-manufacturer",
    ] {
        let rig = faulty(&[Fault::Refuse(slug)]);
        let mut agent = rig.start();
        let is_trouble = |progress| matches!(progress, Progress::Went(Some(note)) if matches!(*note, Note::Trouble { .. }));
        while !is_trouble(agent.step()) {}
        while agent.goes_on() {
            agent.step();
        }
        assert_eq!(rig.server.borrow().asked, 1);
        let kept = agent.vault().trouble().unwrap().unwrap();
        assert_eq!(kept.slug.as_deref(), Some(slug));
        let state = rig.disk.borrow().read("state.json").unwrap().unwrap();
        assert!(
            String::from_utf8(state)
                .unwrap()
                .contains("\"refused\": true")
        );
    }
}

#[test]
fn what_keeps_a_new_device_out_for_now_is_on_record_once() {
    let rig = faulty(&[Fault::Refuse("secret-rate"); 30]);
    let mut agent = rig.start();
    rig.pass(&mut agent);
    let kept = agent.vault().trouble().unwrap().unwrap();
    assert_eq!(kept.slug.as_deref(), Some("secret-rate"));
    rig.until(&mut agent, |_| rig.server.borrow().asked == 30);
    assert_eq!(agent.vault().trouble().unwrap().unwrap(), kept);
    rig.settle(&mut agent);
    assert!(rig.now() < START + 3 * HOUR);
    rig.pass(&mut agent);
    assert!(agent.vault().trouble().unwrap().is_none());
}

#[test]
fn a_device_whose_application_was_rejected_says_so_and_shows_the_next_code() {
    let rig = Rig::with_policy(Policy::Approve);
    let mut agent = rig.start();
    rig.pass(&mut agent);
    rig.server.borrow_mut().proofs.code = Some("L4U-DM8");
    let notes = rig.until(&mut agent, |_| rig.server.borrow().asked == 4);
    assert!(
        matches!(&notes[..], [Note::Pending { code: Some(code), turned_away: Some(before) }]
            if code == "L4U-DM8" && before == "K7P-3QF"),
        "told once: {notes:?}"
    );
    rig.pass(&mut agent);
    let state = rig.disk.borrow().read("state.json").unwrap().unwrap();
    let state = String::from_utf8(state).unwrap();
    assert!(state.contains("\"turned_away\": \"K7P-3QF\""), "{state}");
    rig.server.borrow_mut().approve();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_device_on_record_by_a_name_that_looks_like_a_serial_number_stays_the_same() {
    for (is_of_before, claim) in [(false, "serial:SN-17"), (true, "named:serial:SN-17")] {
        let mut rig = Rig::new();
        rig.configuration.hardware = Some(HardwareSource::Value("serial:SN-17".into()));
        rig.configuration.enrollment_token = Some(ProvisioningSecret::generate(&*rig.rng));
        let mut agent = rig.start();
        rig.settle(&mut agent);
        assert_eq!(claims(&rig), ["serial:SN-17"]);
        drop(agent);
        if is_of_before {
            let json = rig.disk.borrow().read("identity.json").unwrap().unwrap();
            let mut record: serde_json::Value = serde_json::from_slice(&json).unwrap();
            record["hardware"] = serde_json::json!({"kind": "named", "value": "serial:SN-17"});
            let json = record.to_string();
            let disk = &mut *rig.disk.borrow_mut();
            disk.write("identity.json", json.as_bytes()).unwrap();
        }
        let mut agent = rig.start();
        assert!(agent.machine().changed_hardware().is_none());
        rig.server.borrow_mut().deprovision();
        rig.until(&mut agent, |_| claims(&rig).len() == 2);
        assert_eq!(claims(&rig)[1], claim);
    }
}
