//! What a hook sets: group, name, labels, configuration.

use enlist_testkit::{Receiver, Rig, refusal};
use enlist_wire::{
    ApplySchema, ClientError, ConfigurationQuery, Enrollment, NewDevice, NewGroup, NewTenant,
    Signing, SigningMethod,
};
use serde_json::{Value, json};

use super::{ask, enroll, events, nobody_is_in, say};

fn with_schema(rig: &Rig, group: &str) {
    let schema = ApplySchema {
        schema: Some(json!({
            "type": "object",
            "properties": {"rate": {"type": "integer", "minimum": 1, "default": 5}},
            "additionalProperties": false
        })),
        migrations: None,
        envelope: None,
        expects: None,
        dry_run: false,
    };
    rig.admin().apply_schema("default", group, &schema).unwrap();
}

#[test]
fn everything_that_is_set_is_recorded_with_the_enrollment() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    let mut line = NewGroup::named("line-4");
    line.profile.dns_suffix = Some("line.example.com".to_owned());
    rig.group_with(&line);
    with_schema(&rig, "line-4");
    let receiver = Receiver::start(|_| {
        say(json!({
            "allow": true, "group": "line-4", "name": "press-7",
            "labels": {"region": "north"}, "configuration": {"rate": 9}
        }))
    });
    ask(&rig, "intake", &receiver);
    let mut device = rig.device("intake", "unnamed", &secret);
    let enrolled = device.enroll(&rig).unwrap();
    assert_eq!(enrolled.group, "line-4");
    assert_eq!(enrolled.name, "press-7");
    let names = format!("{:?}", device.certificate().names());
    assert!(
        names.contains("press-7.line-4.default.line.example.com"),
        "{names}"
    );
    let there = rig.admin().device("default", "line-4", "press-7").unwrap();
    assert_eq!(there.labels["region"], "north");
    let own = rig
        .admin()
        .configuration(
            "default",
            "line-4",
            Some("press-7"),
            &ConfigurationQuery::default(),
        )
        .unwrap();
    assert_eq!(serde_json::to_value(&own).unwrap()["values"]["rate"], 9);
    nobody_is_in(&rig, "intake");
    let event = events(&rig, "device-enrolled").pop().unwrap();
    assert_eq!(event.group.as_deref(), Some("line-4"));
    assert_eq!(event.detail["asked_at"], "intake");
    assert_eq!(
        event.detail["hook_set"],
        "group line-4, name press-7, labels region, configuration"
    );
    let applied = events(&rig, "configuration-applied").pop().unwrap();
    assert_eq!(
        (applied.by.as_str(), applied.device.as_deref()),
        ("server", Some("press-7"))
    );

    // The same request again, as after a lost answer: the recorded answer, and nobody is asked.
    let again = device.enroll(&rig).unwrap();
    assert_eq!(again, enrolled);
    assert_eq!(receiver.received().len(), 1);
    // It renews where it is.
    assert_eq!(device.renew(&rig).unwrap().group, "line-4");
}

#[test]
fn a_created_device_is_moved_unless_it_would_leave_its_configuration_behind() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Known);
    rig.group("line-4", Enrollment::Known);
    with_schema(&rig, "intake");
    let receiver = Receiver::start(|_| say(json!({"allow": true, "group": "line-4"})));
    ask(&rig, "intake", &receiver);
    let admin = rig.admin();
    for name in ["press-1", "press-2"] {
        let new = NewDevice {
            name: name.to_owned(),
            labels: [("hall".to_owned(), "7".to_owned())].into(),
            hardware: None,
        };
        admin.create_device("default", "intake", &new).unwrap();
    }
    let values = serde_json::from_value(json!({"values": {"rate": 3}})).unwrap();
    admin
        .apply_configuration("default", "intake", Some("press-2"), &values)
        .unwrap();
    let before = admin.device("default", "intake", "press-1").unwrap();
    let enrolled = enroll(&rig, "intake", "press-1", &secret).unwrap();
    assert_eq!(enrolled.device_id, before.device_id);
    let after = admin.device("default", "line-4", "press-1").unwrap();
    assert_eq!(
        (after.device_id, &after.labels),
        (before.device_id, &before.labels)
    );
    let gone = admin.device("default", "intake", "press-1");
    assert_eq!(refusal(gone), "device-not-found");
    assert_eq!(
        refusal(enroll(&rig, "intake", "press-2", &secret)),
        "hook-unavailable"
    );
}

/// Whatever a hook lies, nothing comes of it.
#[test]
fn what_can_not_be_followed_is_no_yes() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    let passes_on = NewGroup {
        allocation: Some(serde_json::from_value(json!({"by": "label", "key": "x"})).unwrap()),
        ..NewGroup::named("passes-on")
    };
    rig.group_with(&passes_on);
    let own_key = NewGroup {
        signing: Signing {
            method: SigningMethod::Local,
            keys: vec![
                enlist_keys::FileKey::generate(enlist_pki::KeyKind::P256)
                    .map(|key| enlist_pki::Signer::public_key(&key).to_pem())
                    .unwrap(),
            ],
        },
        ..NewGroup::named("own-key")
    };
    rig.group_with(&own_key);
    rig.group("plain", Enrollment::Open);
    rig.group("ruled", Enrollment::Open);
    with_schema(&rig, "ruled");
    rig.admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    let theirs = NewGroup::named("theirs");
    rig.admin().create_group("acme", &theirs).unwrap();
    let labels: serde_json::Map<_, _> = (0..33)
        .map(|n| (format!("label-{n}"), Value::from("x")))
        .collect();
    let lies = [
        json!({"allow": true, "group": "nowhere"}),
        json!({"allow": true, "group": "theirs"}),
        json!({"allow": true, "group": "acme/theirs"}),
        json!({"allow": true, "group": "passes-on"}),
        json!({"allow": true, "name": "No Name"}),
        json!({"allow": true, "name": "a/../b"}),
        json!({"allow": true, "labels": labels}),
        json!({"allow": true, "labels": {"a": "\u{1b}[2J"}}),
        json!({"allow": true, "certificate": "mine"}),
        json!({"allow": "yes"}),
        json!({"allow": true, "group": "own-key", "configuration": {"rate": 3}}),
        json!({"allow": true, "group": "plain", "configuration": {"rate": 3}}),
        json!({"allow": true, "group": "ruled", "configuration": {"rate": 0}}),
        json!({"allow": true, "group": "ruled", "configuration": {"other": 1}}),
        json!([true]),
        json!(true),
    ];
    let all = lies.clone();
    let receiver = Receiver::start(move |asked| {
        let name = asked.json()["name"].as_str().unwrap().to_owned();
        let at: usize = name.trim_start_matches("liar-").parse().unwrap();
        say(all[at].clone())
    });
    ask(&rig, "intake", &receiver);
    for (at, lie) in lies.iter().enumerate() {
        match enroll(&rig, "intake", &format!("liar-{at}"), &secret) {
            Err(ClientError::Problem(problem)) => {
                assert_eq!(problem.slug(), "hook-unavailable", "{lie}");
                assert_eq!(problem.status, 503);
                assert!(problem.retry_after_s.is_some());
                // What is wrong is for the operator, and not for strangers.
                assert!(!problem.detail.contains("nowhere"), "{}", problem.detail);
            }
            other => panic!("{lie}: {other:?}"),
        }
    }
    for group in ["intake", "plain", "ruled", "own-key", "passes-on"] {
        nobody_is_in(&rig, group);
    }
    assert_eq!(events(&rig, "device-enrolled"), []);
}

#[test]
fn a_name_that_is_taken_is_a_conflict() {
    let rig = Rig::new();
    let secret = rig.group("intake", Enrollment::Open);
    let other = rig.group("line-4", Enrollment::Open);
    enroll(&rig, "line-4", "press-7", &other).unwrap();
    let receiver = Receiver::start(|asked| {
        let name = asked.json()["name"].clone();
        say(match name == "press-7" {
            true => json!({"allow": true, "group": "line-4"}),
            false => json!({"allow": true, "group": "line-4", "name": "press-7"}),
        })
    });
    ask(&rig, "intake", &receiver);
    for name in ["press-1", "press-7"] {
        let taken = enroll(&rig, "intake", name, &secret);
        assert_eq!(refusal(taken), "name-taken", "{name}");
    }
}
