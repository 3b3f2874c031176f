//! Provisioning secrets: what they open, and for how long.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    ClientError, Enrollment, EventsQuery, Hardware, HardwareKind, NewSecret, RotateSecret,
    SecretCreated, SecretRate,
};

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

fn replace(rig: &Rig, secret: Option<&str>) -> Result<SecretCreated, ClientError> {
    let rotate = RotateSecret {
        secret: secret.map(str::to_owned),
        overlap_s: 3600,
    };
    rig.admin().rotate_secret("default", "pumps", &rotate)
}

/// A group without a secret, and one that bounds all but the manifest.
fn line_4(rig: &Rig) -> SecretCreated {
    rig.group("pumps", Enrollment::Open);
    let first = rig.admin().secrets("default", "pumps").unwrap().items[0].secret_id;
    rig.admin()
        .delete_secret("default", "pumps", first)
        .unwrap();
    let new = NewSecret {
        label: Some("line-4".to_owned()),
        expires_in_s: Some(7200),
        max_devices: Some(2),
        rate: Some(SecretRate {
            devices: 100,
            per_s: 3600,
        }),
        networks: vec!["127.0.0.0/8".to_owned()],
        ..NewSecret::default()
    };
    rig.clock.advance(Duration::from_secs(1));
    rig.admin().create_secret("default", "pumps", &new).unwrap()
}

#[test]
fn what_replaces_a_secret_that_has_expired_is_bounded_as_it_was() {
    let rig = Rig::new();
    let old = line_4(&rig);
    rig.clock.advance(DAY);
    let before = rig.ops.now();
    let new = replace(&rig, None).unwrap();
    assert_eq!(new.replaces, [old.secret_id]);
    assert_eq!(
        (&new.label, new.max_devices, new.rate, &new.networks),
        (&old.label, old.max_devices, old.rate, &old.networks)
    );
    let life = new.expires_at.unwrap().as_millis() - before.as_millis();
    assert!((7_200_000..7_260_000).contains(&life), "{life}");
    rig.enrolled_device("pumps", "a", new.secret.expose());
    rig.enrolled_device("pumps", "b", new.secret.expose());
    let third = rig.device("pumps", "c", new.secret.expose()).enroll(&rig);
    assert_eq!(refusal(third), "secret-used-up");
    let old = rig.device("pumps", "c", old.secret.expose()).enroll(&rig);
    assert_eq!(refusal(old), "secret-expired");
}

#[test]
fn of_several_secrets_the_one_that_is_named_is_replaced_and_the_others_stay() {
    let rig = Rig::new();
    let line = line_4(&rig);
    rig.clock.advance(Duration::from_secs(1));
    let loose = NewSecret {
        label: Some("loose".to_owned()),
        ..NewSecret::default()
    };
    let loose = rig
        .admin()
        .create_secret("default", "pumps", &loose)
        .unwrap();
    assert_eq!(refusal(replace(&rig, None)), "secret-ambiguous");
    assert_eq!(refusal(replace(&rig, Some("none"))), "secret-not-found");
    assert_eq!(refusal(replace(&rig, Some("first"))), "secret-not-found");

    // In its overlap the old one has the label, too, and is not in the way.
    rig.clock.advance(Duration::from_secs(1));
    let second = replace(&rig, Some("line-4")).unwrap();
    assert_eq!(second.replaces, [line.secret_id]);
    rig.clock.advance(Duration::from_secs(1));
    let third = replace(&rig, Some("line-4")).unwrap();
    assert_eq!(third.replaces, [line.secret_id, second.secret_id]);
    assert_eq!(
        (third.max_devices, third.label.as_str()),
        (Some(2), "line-4")
    );
    for secret in [&line, &second, &third] {
        let name = secret.secret_id.to_string();
        rig.enrolled_device("pumps", &name, secret.secret.expose());
    }
    rig.clock.advance(DAY);
    for secret in [&line, &second, &third] {
        let late = rig.device("pumps", "late", secret.secret.expose());
        assert_eq!(refusal({ late }.enroll(&rig)), "secret-expired");
    }
    rig.enrolled_device("pumps", "late", loose.secret.expose());

    for one in rig.admin().secrets("default", "pumps").unwrap().items {
        rig.admin()
            .delete_secret("default", "pumps", one.secret_id)
            .unwrap();
    }
    assert_eq!(refusal(replace(&rig, None)), "secret-not-found");
    assert_eq!(refusal(replace(&rig, Some("loose"))), "secret-not-found");
}

#[test]
fn the_record_tells_bounds_what_was_replaced_and_which_hardware_was_claimed() {
    let rig = Rig::new();
    let old = line_4(&rig);
    replace(&rig, None).unwrap();
    let mut device = rig.device("pumps", "a", old.secret.expose());
    device.hardware = Some(Hardware {
        kind: HardwareKind::Serial,
        value: "SN-1".to_owned(),
    });
    device.enroll(&rig).unwrap();
    let told = |kind: &str| {
        let query = EventsQuery {
            kind: Some(kind.to_owned()),
            ..EventsQuery::default()
        };
        let events = rig.admin().events("default", &query).unwrap().items;
        events.into_iter().map(|event| event.detail)
    };
    let bounded: Vec<_> = told("secret-created")
        .filter(|detail| detail["label"] == "line-4")
        .collect();
    assert_eq!(bounded.len(), 2);
    for detail in bounded {
        assert_eq!(detail["expires_in_s"], "7200");
        assert_eq!(detail["max_devices"], "2");
        assert_eq!(detail["rate"], "100/h");
        assert_eq!(detail["networks"], "127.0.0.0/8");
        assert!(!detail.contains_key("manifest"), "{detail:?}");
    }
    let replaced = told("secrets-rotated").next().unwrap();
    assert_eq!(replaced["replaced"], old.secret_id.to_string());
    let enrolled = told("device-enrolled").next().unwrap();
    assert_eq!(enrolled["hardware"], "serial:SN-1");
}

#[test]
fn what_was_let_in_counts_though_it_has_left() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    for name in ["a", "b"] {
        rig.enrolled_device("pumps", name, &secret);
    }
    rig.admin()
        .deprovision("default", "pumps", "a", &Default::default())
        .unwrap();
    rig.admin().delete_device("default", "pumps", "b").unwrap();
    let used = rig.admin().secrets("default", "pumps").unwrap().items[0].used;
    assert_eq!(used, 2);
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
