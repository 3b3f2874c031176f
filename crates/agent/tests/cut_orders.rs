//! The power goes at every write and at every request while a device does what it was told: it is done,
//! once, and told.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Rig, TestAgent, When};
use enlist_agent::Progress;
use enlist_agent::config::HardwareSource;
use enlist_agent::disk::Disk;
use enlist_core::ProvisioningSecret;
use enlist_signed::Order;
use enlist_wire::{KeyRotation, OnHardwareChange};

/// Cuts the power once at every point on the way from `prepare` to `done`, before a thing is done and
/// after, starts again, and looks with `check` at what came of it. Returns at how many points.
fn cut_everywhere(
    prepare: impl Fn() -> Rig,
    done: impl Fn(&Rig, &TestAgent) -> bool,
    check: impl Fn(&Rig, &TestAgent),
) -> u32 {
    let mut points = 0;
    for when in [When::Before, When::After] {
        for at in 0.. {
            let rig = prepare();
            rig.fuse.set(at, when);
            let mut started = rig.try_start().ok();
            if let Some(agent) = &mut started {
                run_until_dark(&rig, agent, &done);
            }
            let mut agent = match started {
                Some(agent) if !rig.fuse.is_blown() => agent,
                other => {
                    drop(other);
                    rig.check_current();
                    rig.fuse.repair();
                    rig.start()
                }
            };
            rig.until(&mut agent, |agent| done(&rig, agent));
            check(&rig, &agent);
            if !rig.fuse.was_blown() {
                points = at;
                break;
            }
        }
    }
    points
}

fn run_until_dark(rig: &Rig, agent: &mut TestAgent, done: impl Fn(&Rig, &TestAgent) -> bool) {
    for _ in 0..10_000 {
        if rig.fuse.is_blown() || done(rig, agent) {
            return;
        }
        if let Progress::Wait(until) = agent.step() {
            rig.sleep(until.since(agent.now()));
        }
    }
    panic!("it does not end");
}

fn acknowledged(rig: &Rig, agent: &TestAgent) -> bool {
    agent.machine().is_settled(agent.now()) && rig.server.borrow().desk.acknowledged.len() == 1
}

fn ordered(order: Order, policy: KeyRotation) -> Rig {
    let rig = Rig::new();
    rig.server.borrow_mut().desk.policy.key_rotation = policy;
    let mut agent = rig.start();
    rig.settle(&mut agent);
    rig.server.borrow_mut().order(order);
    rig
}

#[test]
fn an_order_that_renews_is_carried_out_once_whenever_the_power_goes() {
    for (order, policy) in [
        (Order::RotateKey, KeyRotation::Rotate),
        (Order::RotateKey, KeyRotation::Keep),
        (Order::Renew, KeyRotation::Keep),
    ] {
        let points = cut_everywhere(
            || ordered(order, policy),
            acknowledged,
            |rig, agent| {
                assert!(rig.server.borrow().desk.acknowledged[0].done);
                assert_eq!(rig.server.borrow().issued(), 2, "once");
                rig.check_settled(agent);
            },
        );
        assert!(points >= 9, "{points}");
    }
}

#[test]
fn a_token_is_rotated_once_whenever_the_power_goes() {
    let points = cut_everywhere(
        || ordered(Order::RotateToken, KeyRotation::Rotate),
        acknowledged,
        |rig, agent| {
            let state = agent.machine().state().unwrap();
            assert_eq!(state.token.expose(), rig.server.borrow().token());
            assert!(state.next_token.is_none());
            rig.check_settled(agent);
        },
    );
    assert!(points >= 6, "{points}");
}

#[test]
fn the_configuration_is_reset_whenever_the_power_goes() {
    cut_everywhere(
        || ordered(Order::ResetConfiguration, KeyRotation::Rotate),
        acknowledged,
        |rig, agent| {
            assert!(rig.server.borrow().desk.acknowledged[0].done);
            rig.check_settled(agent);
        },
    );
}

#[test]
fn hardware_is_accepted_once_whenever_the_power_goes() {
    cut_everywhere(
        || {
            let mut rig = ordered(Order::AcceptHardware, KeyRotation::Rotate);
            rig.configuration.hardware = Some(HardwareSource::Value("OTHER-7".into()));
            rig
        },
        acknowledged,
        |rig, agent| {
            assert!(agent.machine().changed_hardware().is_none());
            rig.check_settled(agent);
        },
    );
}

#[test]
fn enrolling_anew_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(
        || {
            let mut rig = Rig::new();
            rig.configuration.name = None;
            rig.configuration.name_prefix = Some("press".parse().unwrap());
            let secret = ProvisioningSecret::generate(&*rig.rng);
            rig.configuration.enrollment_token = Some(secret);
            rig.server.borrow_mut().desk.policy.on_hardware_change = OnHardwareChange::Reenroll;
            let mut agent = rig.start();
            rig.settle(&mut agent);
            rig.configuration.hardware = Some(HardwareSource::Value("OTHER-7".into()));
            rig
        },
        |rig, agent| agent.machine().is_settled(agent.now()) && rig.server.borrow().devices() == 2,
        |rig, agent| {
            let own = agent.machine().identity().unwrap();
            rig.server.borrow().check_agrees(own);
            let slots = rig.disk.borrow().list("slots").unwrap();
            assert_eq!(slots, [own.slot.to_string()], "nothing is left over");
            assert!(agent.machine().changed_hardware().is_none());
        },
    );
    assert!(points >= 10, "{points}");
}

#[test]
fn a_deprovisioned_device_enrolls_anew_whenever_the_power_goes() {
    cut_everywhere(
        || {
            let mut rig = Rig::new();
            let secret = ProvisioningSecret::generate(&*rig.rng);
            rig.configuration.enrollment_token = Some(secret);
            let mut agent = rig.start();
            rig.settle(&mut agent);
            rig.server.borrow_mut().deprovision();
            rig
        },
        |rig, agent| agent.machine().is_settled(agent.now()) && rig.server.borrow().devices() == 1,
        Rig::check_settled,
    );
}

#[test]
fn a_root_is_taken_whenever_the_power_goes() {
    cut_everywhere(
        || {
            let (rig, _agent) = Rig::enrolled();
            rig.server.borrow_mut().roll_over();
            rig
        },
        |rig, agent| {
            let server = rig.server.borrow();
            let report = server.desk.report.as_ref();
            agent.machine().is_settled(agent.now())
                && report.is_some_and(|report| report.roots.len() == 2)
        },
        Rig::check_settled,
    );
}

#[test]
fn a_device_that_starts_in_1970_survives_a_power_cut_at_every_point() {
    cut_everywhere(
        || Rig::with_wrong_clock(-common::START),
        |rig, agent| {
            let floor = rig.disk.borrow().read("floor").unwrap();
            agent.machine().is_settled(agent.now()) && floor.is_some()
        },
        |rig, agent| {
            rig.check_settled(agent);
            let issued = rig.server.borrow().issued();
            assert_eq!(issued, 1);
        },
    );
}
