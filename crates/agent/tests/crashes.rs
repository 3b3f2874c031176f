//! The power goes at every write and at every request, before it is done and after, and the agent always
//! comes out the same: one device, nothing lost, nothing left over.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::sync::atomic::Ordering;

use common::{HOUR, Policy, Rig, SeededRng, TestAgent, When};
use enlist_agent::Progress;
use enlist_core::Clock;

/// Steps until it is settled or the power is gone.
fn run_until_dark(rig: &Rig, agent: &mut TestAgent, settled: impl Fn(&TestAgent) -> bool) -> bool {
    for _ in 0..10_000 {
        if rig.fuse.is_blown() {
            return false;
        }
        if settled(agent) {
            return true;
        }
        if let Progress::Wait(until) = agent.step() {
            rig.clock.set(until);
        }
    }
    panic!("it does not end");
}

/// Cuts the power at every point on the way from `prepare` to settled, once before and once after the
/// thing is done, and returns at how many points.
fn cut_everywhere(prepare: impl Fn() -> (Rig, bool)) -> u32 {
    let mut points = 0;
    for when in [When::Before, When::After] {
        for at in 0.. {
            let (rig, forced) = prepare();
            let slot_before = kept_slot(&rig);
            rig.fuse.set(at, when);
            let mut agent = match rig.try_start() {
                Ok(agent) => agent,
                Err(_) if rig.fuse.is_blown() => {
                    rig.fuse.repair();
                    rig.start()
                }
                Err(error) => panic!("{error}"),
            };
            if forced {
                agent.renew_now();
            }
            let survived = run_until_dark(&rig, &mut agent, |agent| {
                agent.machine().is_settled(rig.clock.now())
            });
            rig.check_current();
            if !survived {
                drop(agent);
                rig.fuse.repair();
                agent = rig.start();
                if forced && kept_slot(&rig) == slot_before {
                    agent.renew_now();
                }
                rig.settle(&mut agent);
            }
            rig.check_settled(&agent);
            assert!(rig.hooks_run.load(Ordering::Relaxed) > 0, "hooks were run");
            if survived && !rig.fuse.was_blown() {
                points = at;
                break;
            }
        }
    }
    points
}

fn kept_slot(rig: &Rig) -> Option<u64> {
    let disk = rig.disk.borrow().clone();
    let state = enlist_agent::disk::Vault::new(disk).state().unwrap()?;
    Some(state.identity()?.slot)
}

#[test]
fn enrollment_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(|| (Rig::new(), false));
    assert!(
        points >= 8,
        "key, state, enroll, two files, state, link, check-in, state: {points}"
    );
}

#[test]
fn enrollment_with_a_random_identity_survives_a_power_cut_at_every_point() {
    cut_everywhere(|| {
        let mut rig = Rig::new();
        rig.configuration.hardware = None;
        (rig, false)
    });
}

#[test]
fn enrollment_by_a_tpm_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(|| (Rig::zero_touch(), false));
    assert!(points >= 9, "a challenge more than with a secret: {points}");
}

#[test]
fn approval_survives_a_power_cut_at_every_point() {
    cut_everywhere(|| {
        let rig = Rig::with_policy(Policy::Approve);
        let mut agent = rig.start();
        rig.pass(&mut agent);
        rig.server.borrow_mut().approve();
        (rig, false)
    });
}

#[test]
fn renewal_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(|| {
        let (rig, _agent) = Rig::enrolled();
        (rig, true)
    });
    assert!(points >= 8, "{points}");
}

#[test]
fn recovery_after_expiry_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(|| {
        let (rig, _agent) = Rig::enrolled();
        rig.clock.advance(200 * HOUR);
        (rig, false)
    });
    assert!(points >= 9, "{points}");
}

#[test]
fn the_first_start_of_a_pre_enrolled_device_survives_a_power_cut_at_every_point() {
    let points = cut_everywhere(|| (Rig::pre_enrolled(), false));
    assert!(points >= 12, "{points}");
}

#[test]
fn the_late_first_start_of_a_pre_enrolled_device_survives_a_power_cut_at_every_point() {
    cut_everywhere(|| {
        let rig = Rig::pre_enrolled();
        rig.clock.advance(10_000 * HOUR);
        (rig, false)
    });
}

#[test]
fn a_year_of_power_cuts_leaves_one_device_that_still_renews() {
    for seed in 0..10 {
        let rng = SeededRng::new(seed);
        let rig = Rig::new();
        let end = common::START + 365 * 24 * HOUR;
        let mut cuts = 0;
        while rig.now() < end {
            let when = if rng.below(2) == 0 {
                When::Before
            } else {
                When::After
            };
            rig.fuse.set(u32::try_from(rng.below(40)).unwrap(), when);
            let mut running = rig.start();
            run_until_dark(&rig, &mut running, |_| rig.now() >= end);
            drop(running);
            cuts += 1;
            rig.check_current();
            rig.fuse.repair();
            // It may stay dark for up to three weeks, which is three lifetimes.
            if rng.below(4) == 0 {
                rig.clock
                    .advance(i64::try_from(rng.below(21 * 24)).unwrap() * HOUR);
            }
        }
        let mut agent = rig.start();
        rig.settle(&mut agent);
        rig.check_settled(&agent);
        assert!(
            Rig::identity(&agent).counter > 10,
            "it has renewed all along"
        );
        assert!(cuts > 20, "the power was cut: {cuts}");
    }
}
