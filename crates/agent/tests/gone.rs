//! A device whose credentials the server does not know any more.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, Rig, TestAgent};
use enlist_agent::disk::Disk;
use enlist_core::ProvisioningSecret;

fn enrolled_with_a_secret() -> (Rig, TestAgent) {
    let mut rig = Rig::new();
    let secret = ProvisioningSecret::generate(&*rig.rng);
    rig.configuration.enrollment_token = Some(secret);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    (rig, agent)
}

#[test]
fn a_deprovisioned_device_with_a_secret_enrolls_anew_onto_a_fresh_key() {
    for late in [0, 30] {
        let (rig, mut agent) = enrolled_with_a_secret();
        let before = Rig::identity(&agent);
        rig.server.borrow_mut().deprovision();
        rig.clock.advance(late * DAY);
        rig.until(&mut agent, |agent| {
            agent.machine().identity().is_some_and(|own| {
                own.device_id != before.device_id && agent.machine().is_settled(agent.now())
            })
        });
        rig.check_settled(&agent);
        assert!(agent.machine().state().unwrap().aside.is_none());
    }
}

#[test]
fn a_deprovisioned_device_without_a_secret_keeps_asking_slowly() {
    let (rig, mut agent) = Rig::enrolled();
    let before = Rig::identity(&agent);
    rig.server.borrow_mut().deprovision();
    let asked = rig.server.borrow().asked;
    let end = rig.now() + 30 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(Rig::identity(&agent).slot, before.slot);
    let asked = rig.server.borrow().asked - asked;
    assert!(
        (500..3 * 26 * 30).contains(&asked),
        "{asked} questions in a month"
    );
    rig.check_current();
}

#[test]
fn a_suspended_device_never_enrolls_anew() {
    let (rig, mut agent) = enrolled_with_a_secret();
    let before = Rig::identity(&agent);
    rig.server.borrow_mut().suspend(true);
    let end = rig.now() + 30 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(rig.server.borrow().devices(), 1);
    assert_eq!(Rig::identity(&agent).device_id, before.device_id);
    rig.server.borrow_mut().suspend(false);
    rig.until(&mut agent, |agent| agent.machine().trouble().is_none());
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn a_refusal_is_kept_for_whoever_asks_and_forgotten_when_it_is_lifted() {
    let (rig, mut agent) = Rig::enrolled();
    assert!(agent.vault().trouble().unwrap().is_none());
    rig.server.borrow_mut().suspend(true);
    let end = rig.now() + DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    let kept = agent.vault().trouble().unwrap().unwrap();
    assert_eq!(kept.slug.as_deref(), Some("device-suspended"));
    assert!(kept.at < kept.next);
    drop(agent);

    let mut agent = rig.start();
    rig.server.borrow_mut().suspend(false);
    let end = rig.now() + DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert!(agent.vault().trouble().unwrap().is_none());
    assert!(rig.disk.borrow().read("trouble.json").unwrap().is_none());
}
