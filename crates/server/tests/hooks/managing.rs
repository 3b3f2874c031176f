//! Who may make hooks, and of what.

use std::time::Duration;

use enlist_core::Clock;
use enlist_testkit::{BadSignature, Receiver, Rig, refusal};
use enlist_wire::{Enrollment, NewHook, NewTenant, NewToken, RefreshHook, Role};
use serde_json::json;

use super::{ask, enroll, events, hook, hooks, nobody_is_in, say};

#[test]
fn what_can_never_be_asked_is_refused_when_it_is_made() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": true})));
    let cases: [fn(&mut NewHook); 6] = [
        |new| new.url = new.url.replace("https", "http"),
        |new| new.url = "https://user:word@localhost/".to_owned(),
        |new| new.url = String::new(),
        |new| new.ca = Some("no PEM".to_owned()),
        |new| new.timeout_ms = 99,
        |new| new.timeout_ms = 10_001,
    ];
    for spoil in cases {
        let mut new = hook(&receiver);
        spoil(&mut new);
        let made = rig.admin().create_hook("default", "field", &new);
        assert_eq!(refusal(made), "invalid-request", "{new:?}");
    }
    assert_eq!(hooks(&rig), []);
    ask(&rig, "field", &receiver);
    let twice = rig
        .admin()
        .create_hook("default", "field", &hook(&receiver));
    assert_eq!(refusal(twice), "name-taken");
    let nowhere = rig.admin().create_hook("default", "none", &hook(&receiver));
    assert_eq!(refusal(nowhere), "group-not-found");
    assert!(rig.admin().group("default", "field").unwrap().hook);
}

#[test]
fn only_an_administrator_of_the_whole_tenant_manages_hooks() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": true})));
    ask(&rig, "field", &receiver);
    rig.admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    let token = |tenant: &str, role, group: Option<&str>| {
        let new = NewToken {
            label: "x".to_owned(),
            role,
            group: group.map(ToOwned::to_owned),
            expires_in_s: None,
        };
        let made = rig.admin().create_token(tenant, &new).unwrap();
        rig.client_with_token(made.token.expose())
    };
    for (client, slug) in [
        (token("default", Role::Operator, None), "forbidden"),
        (token("default", Role::Viewer, None), "forbidden"),
        (
            token("default", Role::Admin, Some("field")),
            "not-tenant-wide",
        ),
        (token("acme", Role::Admin, None), "tenant-not-found"),
        (rig.stranger(), "unauthenticated"),
    ] {
        assert_eq!(refusal(client.hooks("default")), slug);
        let made = client.create_hook("default", "field", &hook(&receiver));
        assert_eq!(refusal(made), slug);
        assert_eq!(refusal(client.test_hook("default", "field")), slug);
        let refreshed = client.refresh_hook("default", "field", &RefreshHook::default());
        assert_eq!(refusal(refreshed), slug);
        assert_eq!(refusal(client.delete_hook("default", "field")), slug);
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn a_test_shows_the_answer_and_lets_nobody_in() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Open);
    let mut receiver = Receiver::start(|asked| {
        assert_eq!(asked.json()["type"], "test");
        say(json!({"allow": true, "labels": {"region": "north"}}))
    });
    ask(&rig, "field", &receiver);
    let tested = rig.admin().test_hook("default", "field").unwrap();
    assert_eq!(tested.answer.unwrap().labels["region"], "north");
    assert_eq!(tested.error, None);
    receiver.down();
    let tested = rig.admin().test_hook("default", "field").unwrap();
    assert!(tested.answer.is_none() && tested.error.unwrap().contains("connect"));
    nobody_is_in(&rig, "field");
    let outcomes: Vec<_> = events(&rig, "hook-tested")
        .into_iter()
        .map(|event| event.detail["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["allowed", "no answer"]);
}

#[test]
fn a_test_says_why_no_device_would_be_let_in_with_the_answer() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Open);
    rig.group("plain", Enrollment::Open);
    let taken = rig.group("taken", Enrollment::Open);
    enroll(&rig, "taken", "press-7", &taken).unwrap();
    let unfit = [
        (json!({"group": "gone"}), "no group `gone`"),
        (json!({"configuration": {"rate": 3}}), "can't be followed"),
        (
            json!({"group": "plain", "configuration": {}}),
            "can't be followed",
        ),
        (json!({"group": "taken", "name": "press-7"}), "press-7"),
    ];
    let fit = [
        json!({"group": "plain", "name": "press-7"}),
        json!({"allow": false, "group": "gone"}),
    ];
    let unfits = unfit.clone().map(|(answer, _)| answer);
    let answers: Vec<_> = unfits.into_iter().chain(fit.clone()).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| {
        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut answer = json!({"allow": true});
        let said = answers[at].as_object().unwrap().clone();
        answer.as_object_mut().unwrap().extend(said);
        say(answer)
    });
    ask(&rig, "field", &receiver);
    for (answer, why) in unfit {
        let tested = rig.admin().test_hook("default", "field").unwrap();
        assert!(tested.answer.is_some(), "{answer}");
        let error = tested.error.unwrap_or_default();
        assert!(error.contains(why), "{answer}: {error}");
    }
    for answer in fit {
        let tested = rig.admin().test_hook("default", "field").unwrap();
        assert_eq!(tested.error, None, "{answer}");
    }
    for group in ["field", "plain"] {
        nobody_is_in(&rig, group);
    }
    let outcomes: Vec<_> = events(&rig, "hook-tested")
        .into_iter()
        .map(|event| event.detail["outcome"].clone())
        .collect();
    assert_eq!(
        outcomes,
        ["unfit", "unfit", "unfit", "unfit", "allowed", "refused"]
    );
}

#[test]
fn for_the_overlap_requests_carry_the_signatures_of_both_secrets() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": true})));
    let old = ask(&rig, "field", &receiver);
    let test = |secrets: [&str; 2]| {
        rig.admin().test_hook("default", "field").unwrap();
        let last = receiver.received().pop().unwrap();
        secrets.map(|secret| last.verify(secret, rig.clock.now()))
    };
    let refresh = |overlap: &RefreshHook| {
        let refreshed = rig.admin().refresh_hook("default", "field", overlap);
        refreshed.unwrap().secret.expose().to_owned()
    };
    // A day, where nothing else is said.
    let new = refresh(&serde_json::from_str("{}").unwrap());
    assert_eq!(test([&old, &new]), [Ok(()), Ok(())]);
    rig.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert_eq!(test([&old, &new]), [Ok(()), Ok(())]);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(test([&old, &new]), [Err(BadSignature::Wrong), Ok(())]);
    let third = refresh(&RefreshHook { overlap_s: 0 });
    assert_eq!(test([&new, &third]), [Err(BadSignature::Wrong), Ok(())]);
}
