//! What a device does when it is told to.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, Fault, HOUR, Rig, TestAgent};
use enlist_agent::Progress;
use enlist_agent::drive::OpenError;
use enlist_agent::machine::Note;
use enlist_core::{DeviceId, SigningMethod};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_signed::{Command, Envelope, Order};
use enlist_wire::KeyRotation;

/// Works until an order is acknowledged.
fn until_acknowledged(rig: &Rig, agent: &mut TestAgent, number: u64) -> Vec<Note> {
    rig.until(agent, |agent| {
        let server = rig.server.borrow();
        let acknowledged = &server.desk.acknowledged;
        acknowledged.iter().any(|one| one.number == number)
            && agent.machine().is_settled(agent.now())
    })
}

fn refusals(notes: &[Note]) -> Vec<&str> {
    let mut told = Vec::new();
    for note in notes {
        if let Note::NotTaken { why, .. } = note {
            told.push(why.as_str());
        }
    }
    told
}

#[test]
fn an_order_to_rotate_the_key_is_carried_out_once_and_acknowledged() {
    let (rig, mut agent) = Rig::enrolled();
    let before = rig.server.borrow().current_key();
    let number = rig.server.borrow_mut().order(Order::RotateKey);
    until_acknowledged(&rig, &mut agent, number);
    assert_ne!(rig.server.borrow().current_key(), before);
    assert!(rig.server.borrow().desk.acknowledged[0].done);

    let end = rig.now() + 2 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(rig.server.borrow().issued(), 2, "once");
    rig.settle(&mut agent);
    rig.check_settled(&agent);
}

#[test]
fn an_order_is_taken_at_the_next_poll_and_its_end_is_told_at_once() {
    let (rig, mut agent) = Rig::enrolled();
    let start = rig.now();
    let number = rig.server.borrow_mut().order(Order::Renew);
    until_acknowledged(&rig, &mut agent, number);
    assert!(rig.now() - start <= HOUR + 120, "{}", rig.now() - start);
}

#[test]
fn orders_are_carried_out_in_their_order_one_after_the_other() {
    let (rig, mut agent) = Rig::enrolled();
    for order in [Order::Renew, Order::RotateToken, Order::RotateKey] {
        rig.server.borrow_mut().order(order);
    }
    let notes = until_acknowledged(&rig, &mut agent, 3);
    let taken: Vec<u64> = notes
        .iter()
        .filter_map(|note| match note {
            Note::Ordered(under_way) => Some(under_way.number),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [1, 2, 3]);
    assert_eq!(rig.server.borrow().issued(), 3);
    rig.check_settled(&agent);
}

#[test]
fn where_keys_are_kept_a_renewal_keeps_the_key_and_an_order_changes_it() {
    let rig = Rig::new();
    rig.server.borrow_mut().desk.policy.key_rotation = KeyRotation::Keep;
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let first = rig.server.borrow().current_key();
    agent.renew_now();
    rig.settle(&mut agent);
    assert_eq!(rig.server.borrow().issued(), 2);
    assert_eq!(rig.server.borrow().current_key(), first);

    let number = rig.server.borrow_mut().order(Order::Renew);
    until_acknowledged(&rig, &mut agent, number);
    assert_eq!(rig.server.borrow().current_key(), first);

    let number = rig.server.borrow_mut().order(Order::RotateKey);
    until_acknowledged(&rig, &mut agent, number);
    assert_ne!(rig.server.borrow().current_key(), first);
    rig.check_settled(&agent);
}

#[test]
fn a_kept_key_that_the_server_no_longer_takes_is_changed() {
    let rig = Rig::new();
    rig.server.borrow_mut().desk.policy.key_rotation = KeyRotation::Keep;
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let first = rig.server.borrow().current_key();
    rig.server.borrow_mut().desk.policy.key_rotation = KeyRotation::Rotate;
    agent.renew_now();
    rig.settle(&mut agent);
    assert_ne!(rig.server.borrow().current_key(), first);
    rig.check_settled(&agent);
}

#[test]
fn a_new_token_takes_the_place_of_the_old_one_whatever_is_lost() {
    for fault in [None, Some(Fault::LoseRequest), Some(Fault::LoseReply)] {
        let (rig, mut agent) = Rig::enrolled();
        let before = rig.server.borrow().token().to_owned();
        let number = rig.server.borrow_mut().order(Order::RotateToken);
        rig.until(&mut agent, |agent| {
            let state = agent.machine().state().unwrap();
            state.orders.under_way.is_some()
        });
        rig.server.borrow_mut().faults.push_back(fault);
        until_acknowledged(&rig, &mut agent, number);
        let state = agent.machine().state().unwrap();
        assert_eq!(state.token.expose(), rig.server.borrow().token());
        assert_ne!(state.token.expose(), before);
        assert!(state.next_token.is_none());

        // It is the new one that recovers it.
        rig.clock.advance(1000 * HOUR);
        rig.settle(&mut agent);
        rig.check_settled(&agent);
    }
}

#[test]
fn a_recovery_goes_by_the_next_token_where_the_server_has_it_already() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().order(Order::RotateToken);
    rig.until(&mut agent, |agent| {
        agent.machine().state().unwrap().next_token.is_some()
    });
    let fault = Some(Fault::LoseReply);
    rig.server.borrow_mut().faults.push_back(fault);
    rig.pass(&mut agent);
    drop(agent);
    rig.server.borrow_mut().forget_previous_token();
    rig.clock.advance(1000 * HOUR);
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    let state = agent.machine().state().unwrap();
    assert_eq!(state.token.expose(), rig.server.borrow().token());
}

#[test]
fn what_is_not_an_order_to_this_device_by_its_tenant_does_not_count() {
    let (rig, mut agent) = Rig::enrolled();
    let issued = rig.server.borrow().issued();
    {
        let mut server = rig.server.borrow_mut();
        let stranger = FileKey::generate(KeyKind::P256).unwrap();
        let good = server.command(7, Order::RotateKey);
        let forged = Envelope::seal(&good, &stranger).unwrap();
        let another_device = Command {
            device: DeviceId::from_bytes([3; 16]),
            ..good.clone()
        };
        let another_tenant = Command {
            tenant: "another".parse().unwrap(),
            ..good
        };
        let sealed = [another_device, another_tenant]
            .map(|one| Envelope::seal(&one, server.command_key()).unwrap());
        server.list(7, forged);
        for one in sealed {
            server.list(7, one);
        }
    }
    let end = rig.now() + DAY;
    let notes = rig.until(&mut agent, |_| rig.now() > end);
    let told = refusals(&notes);
    assert_eq!(
        told.len(),
        3,
        "each is told once, in a day of polls: {told:?}"
    );
    assert_eq!(rig.server.borrow().issued(), issued);
    assert!(rig.server.borrow().desk.acknowledged.is_empty());
    assert_eq!(agent.machine().state().unwrap().orders.last, 0);
}

#[test]
fn an_order_that_was_taken_before_is_not_taken_again() {
    let (rig, mut agent) = Rig::enrolled();
    let number = rig.server.borrow_mut().order(Order::RotateKey);
    until_acknowledged(&rig, &mut agent, number);
    let issued = rig.server.borrow().issued();
    // A server that has lost its mind lists the old one as a new one.
    let old = rig.server.borrow().listed(number);
    rig.server.borrow_mut().list(99, old);
    drop(agent);
    let mut agent = rig.start();
    let end = rig.now() + DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(rig.server.borrow().issued(), issued);
}

#[test]
fn keys_of_the_configuration_file_win_over_those_of_enrollment() {
    let mut rig = Rig::new();
    let own = FileKey::generate(KeyKind::P256).unwrap();
    rig.configuration.command_keys = vec![own.public_key().to_pem()];
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.server.borrow_mut().order(Order::RotateKey);
    let end = rig.now() + 4 * HOUR;
    let notes = rig.until(&mut agent, |_| rig.now() > end);
    assert_eq!(refusals(&notes).len(), 1, "{notes:?}");

    let mut by_own = rig.server.borrow().command(2, Order::RotateKey);
    by_own.number = 2;
    let by_own = Envelope::seal(&by_own, &own).unwrap();
    rig.server.borrow_mut().list(2, by_own);
    until_acknowledged(&rig, &mut agent, 2);
}

#[test]
fn where_operators_sign_for_themselves_the_server_alone_destroys_nothing() {
    let mut rig = Rig::new();
    let group = FileKey::generate(KeyKind::P256).unwrap();
    rig.configuration.signing_method = SigningMethod::Local;
    rig.configuration.public_keys = vec![group.public_key().to_pem()];
    let mut agent = rig.start();
    rig.settle(&mut agent);
    for order in [Order::Wipe, Order::ResetConfiguration] {
        let number = rig.server.borrow_mut().order(order);
        until_acknowledged(&rig, &mut agent, number);
        let server = rig.server.borrow();
        let last = server.desk.acknowledged.last().unwrap();
        assert!(!last.done, "{last:?}");
        let why = last.detail.as_ref().unwrap();
        assert!(why.contains("group's own signature"), "{why}");
    }
    // What destroys nothing goes by the server's key.
    let number = rig.server.borrow_mut().order(Order::RotateKey);
    until_acknowledged(&rig, &mut agent, number);
    assert!(rig.server.borrow().desk.acknowledged.last().unwrap().done);
}

#[test]
fn a_server_that_knows_no_polls_is_asked_as_before() {
    let rig = Rig::new();
    rig.server.borrow_mut().desk.knows_polls = false;
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.check_settled(&agent);
    let asked = rig.server.borrow().asked;
    let end = rig.now() + 10 * HOUR;
    let notes = rig.until(&mut agent, |_| rig.now() > end);
    assert!(notes.is_empty(), "{notes:?}");
    let asked = rig.server.borrow().asked - asked;
    assert!((9..=11).contains(&asked), "{asked} questions in ten hours");
}

#[test]
fn a_report_says_what_the_device_is_at() {
    let (rig, mut agent) = Rig::enrolled();
    let end = rig.now() + 2 * HOUR;
    rig.until(&mut agent, |_| rig.now() > end);
    let server = rig.server.borrow();
    let report = server.desk.report.as_ref().unwrap();
    assert!(report.agent.as_ref().unwrap().starts_with("enlist-agent/"));
    assert_eq!(report.roots.len(), 1);
    assert_eq!(report.roots[0].len(), 64);
    assert_eq!(report.last_command, 0);
    assert!(report.changed_hardware.is_none());
}

/// Works until it is told that a wipe has begun.
fn until_wiping(rig: &Rig, agent: &mut TestAgent) {
    for _ in 0..1000 {
        match agent.step() {
            Progress::Went(_) => {}
            Progress::Wait(until) => rig.sleep(until.since(agent.now())),
            Progress::Wiping => return,
        }
    }
    panic!("it does not begin: {:?}", agent.machine().trouble());
}

#[test]
fn an_order_to_wipe_ends_everything_else() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().order(Order::Renew);
    rig.server.borrow_mut().order(Order::Wipe);
    until_wiping(&rig, &mut agent);
    assert!(matches!(agent.step(), Progress::Wiping));
    drop(agent);
    assert!(matches!(rig.try_start(), Err(OpenError::Wiping)));
}

#[test]
fn a_device_on_its_way_out_asks_what_to_do_whatever_it_was_at() {
    // Its certificate is good, or was for the last time a month ago; it wants to renew, or not.
    for (days, renews) in [(0, false), (0, true), (30, false), (30, true)] {
        let (rig, mut agent) = Rig::enrolled();
        rig.server.borrow_mut().decommission();
        rig.server.borrow_mut().order(Order::Wipe);
        rig.clock.advance(days * DAY);
        if renews {
            agent.renew_now();
        }
        let start = rig.now();
        until_wiping(&rig, &mut agent);
        let waited = rig.now() - start;
        assert!(waited <= HOUR + 600, "{days} {renews}: {waited}");
    }
}

#[test]
fn a_device_on_its_way_out_without_a_good_order_keeps_what_it_has_and_asks_slowly() {
    let (rig, mut agent) = Rig::enrolled();
    rig.server.borrow_mut().decommission();
    let asked = rig.server.borrow().asked;
    let end = rig.now() + 30 * DAY;
    rig.until(&mut agent, |_| rig.now() > end);
    let asked = rig.server.borrow().asked - asked;
    assert!((600..30 * 24 * 4).contains(&asked), "{asked} in a month");
    rig.check_current();
}

#[test]
fn an_order_to_reset_the_configuration_is_carried_out_and_acknowledged() {
    let mut rig = Rig::new();
    let group = FileKey::generate(KeyKind::P256).unwrap();
    rig.configuration.signing_method = SigningMethod::Local;
    rig.configuration.public_keys = vec![group.public_key().to_pem()];
    let mut agent = rig.start();
    rig.settle(&mut agent);
    let mut by_both = {
        let server = rig.server.borrow();
        let command = server.command(1, Order::ResetConfiguration);
        Envelope::seal(&command, server.command_key()).unwrap()
    };
    by_both.sign(&group).unwrap();
    rig.server.borrow_mut().list(1, by_both);
    until_acknowledged(&rig, &mut agent, 1);
    assert!(rig.server.borrow().desk.acknowledged[0].done);
}
