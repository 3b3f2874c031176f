//! A device that lives more than once: what it was told in one life is nothing to the next.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, HOUR, Rig};
use enlist_agent::disk::MemoryDisk;
use enlist_agent::machine::Note;
use enlist_core::{ProvisioningSecret, Timestamp};
use enlist_signed::{Command, Envelope, Order};

#[test]
fn an_order_to_an_earlier_life_of_the_device_does_not_count_and_one_right_after_enrolling_does() {
    let mut rig = Rig::new();
    let secret = ProvisioningSecret::generate(&*rig.rng);
    rig.configuration.enrollment_token = Some(secret);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let first = Rig::identity(&agent).device_id;
    rig.clock.advance(DAY);
    let (old, before) = {
        let server = rig.server.borrow();
        let seal = |command| Envelope::seal(&command, server.command_key()).unwrap();
        let before = Command {
            at: Timestamp::from_secs(rig.now() - 1),
            ..server.command(6, Order::RotateToken)
        };
        (seal(server.command(5, Order::Wipe)), seal(before))
    };
    // It is wiped, and let in again as the device that it was.
    rig.clock.advance(DAY);
    drop(agent);
    *rig.disk.borrow_mut() = MemoryDisk::default();
    rig.server.borrow_mut().allow_again();
    let mut agent = rig.start();
    rig.settle(&mut agent);
    assert_eq!(Rig::identity(&agent).device_id, first);
    rig.server.borrow_mut().list(5, old);
    rig.server.borrow_mut().list(6, before);
    let end = rig.now() + DAY;
    let notes = rig.until(&mut agent, |_| rig.now() > end);
    let is_told =
        |note: &&Note| matches!(note, Note::NotTaken { why, .. } if why.contains("earlier life"));
    assert_eq!(notes.iter().filter(is_told).count(), 2, "{notes:?}");
    assert_eq!(agent.machine().state().unwrap().orders.last, 0);

    // One that was given in the very second of the enrollment is one of this life.
    let at = agent.machine().state().unwrap().enrolled_at;
    let now = {
        let server = rig.server.borrow();
        let command = Command {
            at: Timestamp::from_secs(at),
            ..server.command(7, Order::RotateKey)
        };
        Envelope::seal(&command, server.command_key()).unwrap()
    };
    rig.server.borrow_mut().list(7, now);
    rig.until(&mut agent, |agent| {
        !rig.server.borrow().desk.acknowledged.is_empty() && agent.machine().is_settled(agent.now())
    });
    assert!(rig.server.borrow().desk.acknowledged[0].done);

    // A renewal begins no new life.
    assert_eq!(agent.machine().state().unwrap().enrolled_at, at);
}

#[test]
fn a_pre_enrolled_device_is_enrolled_when_it_has_a_key_of_its_own() {
    let rig = Rig::pre_enrolled();
    rig.clock.advance(30 * DAY);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let enrolled_at = agent.machine().state().unwrap().enrolled_at;
    assert!((rig.now() - enrolled_at) < HOUR, "{enrolled_at}");
}
