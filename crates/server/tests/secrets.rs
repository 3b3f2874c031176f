//! Provisioning secrets: what they open, and for how long.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use enlist_testkit::{Rig, refusal};
use enlist_wire::{Enrollment, NewSecret};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_wrong_expired_withdrawn_or_foreign_secret_opens_nothing() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let other = rig.group("valves", Enrollment::Open);
    let try_secret = |secret: &str| refusal(rig.device("pumps", "pump-1", secret).enroll(&rig));

    let last = secret.len() - 1;
    let flipped = if secret.ends_with('A') { "E" } else { "A" };
    assert_eq!(
        try_secret(&format!("{}{flipped}", &secret[..last])),
        "secret-wrong"
    );
    assert_eq!(try_secret("letmein"), "secret-wrong");
    assert_eq!(try_secret(&other), "secret-wrong");

    let short = NewSecret {
        expires_in_s: Some(60),
        ..NewSecret::default()
    };
    let short = rig
        .admin()
        .create_secret("default", "pumps", &short)
        .unwrap();
    rig.clock.advance(Duration::from_secs(61));
    assert_eq!(try_secret(short.secret.expose()), "secret-expired");

    let all = rig.admin().secrets("default", "pumps").unwrap().items;
    let first = all.iter().find(|one| one.label == "first").unwrap();
    rig.admin()
        .delete_secret("default", "pumps", first.secret_id)
        .unwrap();
    assert_eq!(try_secret(&secret), "secret-withdrawn");

    let mut without = rig.device("pumps", "pump-1", &secret).request();
    without.secret = None;
    assert_eq!(refusal(rig.stranger().enroll(&without)), "secret-missing");
}

#[test]
fn a_lost_answer_is_had_again_though_the_secret_has_expired_or_gone_since() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let short = NewSecret {
        expires_in_s: Some(60),
        ..NewSecret::default()
    };
    let short = rig
        .admin()
        .create_secret("default", "pumps", &short)
        .unwrap();
    let mut device = rig.device("pumps", "pump-1", short.secret.expose());
    let first = device.enroll(&rig).unwrap();
    rig.clock.advance(Duration::from_secs(61));
    assert_eq!(device.enroll(&rig).unwrap(), first);
    rig.admin()
        .delete_secret("default", "pumps", short.secret_id)
        .unwrap();
    assert_eq!(device.enroll(&rig).unwrap(), first);
}

#[test]
fn a_secret_that_has_just_let_somebody_in_is_withdrawn_at_once() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "a", &secret);
    rig.enrolled_device("pumps", "b", &secret);
    let first = rig.admin().secrets("default", "pumps").unwrap().items;
    rig.admin()
        .delete_secret("default", "pumps", first[0].secret_id)
        .unwrap();
    let late = rig.device("pumps", "c", &secret).enroll(&rig);
    assert_eq!(refusal(late), "secret-withdrawn");
}

#[test]
fn a_bounded_secret_enrolls_just_as_many_devices() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let two = NewSecret {
        max_devices: Some(2),
        ..NewSecret::default()
    };
    let two = rig.admin().create_secret("default", "pumps", &two).unwrap();
    let secret = two.secret.expose();
    let mut first = rig.enrolled_device("pumps", "a", secret);
    rig.enrolled_device("pumps", "b", secret);
    let third = rig.device("pumps", "c", secret).enroll(&rig);
    assert_eq!(refusal(third), "secret-used-up");
    assert!(first.enroll(&rig).is_ok(), "asking again takes no place");
}

#[test]
fn rotated_secrets_overlap_and_then_end() {
    let rig = Rig::new();
    let old = rig.group("pumps", Enrollment::Open);
    let new = rig
        .admin()
        .rotate_secret("default", "pumps", &Default::default())
        .unwrap();
    rig.enrolled_device("pumps", "a", &old);
    rig.enrolled_device("pumps", "b", new.secret.expose());
    rig.clock.advance(2 * DAY);
    assert_eq!(
        refusal(rig.device("pumps", "c", &old).enroll(&rig)),
        "secret-expired"
    );
    rig.enrolled_device("pumps", "d", new.secret.expose());
}

#[test]
fn guessing_is_slowed_down_and_honest_devices_are_not() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "honest-1", &secret);
    let guess = || {
        let guess = enlist_core::ProvisioningSecret::generate(&*rig.rng);
        rig.device("pumps", "thief", guess.expose()).enroll(&rig)
    };
    let slugs: Vec<_> = (0..25).map(|_| refusal(guess())).collect();
    assert_eq!(slugs[0], "secret-wrong");
    assert_eq!(slugs[24], "guessing-slowed-down");
    rig.enrolled_device("pumps", "honest-2", &secret);
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(refusal(guess()), "secret-wrong", "forgiven after a while");
}
