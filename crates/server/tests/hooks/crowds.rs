//! Many devices at a slow hook.

use std::time::{Duration, Instant};

use enlist_testkit::{Answer, Receiver, Rig};
use enlist_wire::{AttestationKind, ClientError, Enrollment, NewGroup, WithoutProof, ZeroTouch};
use serde_json::json;

use super::{ask, enroll};

#[test]
fn two_hundred_devices_at_a_slow_hook_do_not_hold_up_another_group() {
    let rig = Rig::new();
    let slow = rig.group("slow", Enrollment::Open);
    let quick = rig.group("quick", Enrollment::Open);
    let hooked = rig.group("hooked", Enrollment::Open);
    let yes = || json!({"allow": true}).to_string().into_bytes();
    let receiver = Receiver::start(move |asked| match asked.json()["group"] == "slow" {
        true => Answer::BodyLater(Duration::from_millis(150), yes()),
        false => Answer::Body(200, yes()),
    });
    ask(&rig, "slow", &receiver);
    // At the same receiver, even.
    ask(&rig, "hooked", &receiver);
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..8)
            .map(|part| {
                let (rig, slow) = (&rig, &slow);
                scope.spawn(move || {
                    for n in 0..25 {
                        patiently(rig, "slow", &format!("slow-{part}-{n}"), slow);
                    }
                })
            })
            .chain((0..8).map(|part| {
                let (rig, slow) = (&rig, &slow);
                scope.spawn(move || {
                    // The same devices' neighbours, so that more wait than may ask.
                    for n in 0..3 {
                        patiently(rig, "slow", &format!("more-{part}-{n}"), slow);
                    }
                })
            }))
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        let mut longest = Duration::ZERO;
        for n in 0..10 {
            for (group, secret) in [("quick", &quick), ("hooked", &hooked)] {
                let begun = Instant::now();
                enroll(&rig, group, &format!("free-{n}"), secret).unwrap();
                longest = longest.max(begun.elapsed());
            }
        }
        assert!(
            crowd.iter().any(|part| !part.is_finished()),
            "they were beside each other"
        );
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        for part in crowd {
            part.join().unwrap();
        }
    });
    assert_eq!(
        receiver
            .received()
            .iter()
            .filter(|asked| asked.json()["group"] == "slow")
            .map(|asked| asked.id.clone())
            .collect::<std::collections::HashSet<_>>()
            .len(),
        224
    );
}

#[test]
fn strangers_at_a_hook_leave_room_for_those_with_a_secret() {
    let rig = Rig::new();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Approve,
        }),
        ..NewGroup::named("field")
    });
    let yes = || json!({"allow": true}).to_string().into_bytes();
    let receiver = Receiver::start(move |asked| match asked.json()["secret"].is_null() {
        true => Answer::BodyLater(Duration::from_millis(1500), yes()),
        false => Answer::Body(200, yes()),
    });
    ask(&rig, "field", &receiver);
    std::thread::scope(|scope| {
        let strangers: Vec<_> = (0..40)
            .map(|n| {
                let mut request = rig.device("field", &format!("stranger-{n}"), "").request();
                request.secret = None;
                let client = rig.stranger();
                scope.spawn(move || client.enroll(&request))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(500));
        for n in 0..3 {
            enroll(&rig, "field", &format!("ours-{n}"), &secret).unwrap();
        }
        assert!(
            strangers.iter().any(|one| !one.is_finished()),
            "they were beside each other"
        );
        let outcomes: Vec<_> = strangers
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect();
        let crowded = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(crowded >= 40 - 18, "{crowded} were sent away");
        assert!(crowded < 40, "none was asked about");
    });
}

/// Asks as a device does: again after a while, where it is told to.
fn patiently(rig: &Rig, group: &str, name: &str, secret: &str) {
    let mut device = rig.device(group, name, secret);
    for _ in 0..20 {
        match device.enroll(rig) {
            Ok(_) => return,
            Err(ClientError::Problem(problem)) if problem.slug() == "hook-unavailable" => {
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("`{name}` never got in");
}
