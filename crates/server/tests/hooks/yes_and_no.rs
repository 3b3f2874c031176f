//! What follows from yes and from no, and what a hook is asked.

use enlist_core::Clock;
use enlist_testkit::{Receiver, Rig, refusal};
use enlist_wire::{ClientError, EnrollReply, Enrollment, Hardware, HardwareKind, NewDevice};
use serde_json::json;

use super::{ask, enroll, events, nobody_is_in, say};

#[test]
fn a_yes_lets_a_device_in_and_the_event_says_so() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": true, "reason": "order 4711"})));
    let signing = ask(&rig, "field", &receiver);
    let mut device = rig.device("field", "press-1", &secret);
    device.hardware = Some(Hardware {
        kind: HardwareKind::Serial,
        value: "SN-0815".to_owned(),
    });
    device.enroll(&rig).unwrap();

    let asked = receiver.received();
    assert_eq!(asked.len(), 1);
    let question = asked[0].json();
    assert_eq!(question["type"], "enrollment");
    assert_eq!(question["tenant"], "default");
    assert_eq!(question["group"], "field");
    assert_eq!(question["name"], "press-1");
    assert_eq!(question["hardware"]["value"], "SN-0815");
    assert_eq!(question["secret"], "first");
    assert_eq!(question["source"], "127.0.0.1");
    assert_eq!(question["created"], json!(null));
    assert_eq!(question["needs_approval"], false);
    let text = question.to_string();
    assert!(!text.contains(&secret) && !text.contains(device.token.expose()));
    assert_eq!(asked[0].verify(&signing, rig.clock.now()), Ok(()));

    let event = events(&rig, "device-enrolled").pop().unwrap();
    assert_eq!(event.detail["hook"], "order 4711");
}

#[test]
fn a_no_keeps_a_device_out_and_only_what_it_may_know_is_told() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|asked| match asked.json()["name"] == "told" {
        true => say(json!({"allow": false, "reason": "not\npaid", "tell": true})),
        false => say(json!({"allow": false, "reason": "on the grey list"})),
    });
    ask(&rig, "field", &receiver);
    let detail = |name: &str| match enroll(&rig, "field", name, &secret) {
        Err(ClientError::Problem(problem)) => {
            assert_eq!((problem.slug(), problem.status), ("hook-refused", 403));
            problem.detail
        }
        other => panic!("{other:?}"),
    };
    assert!(detail("told").ends_with("does not let this device in: not paid"));
    assert!(!detail("untold").contains("grey"));
    nobody_is_in(&rig, "field");
    rig.block_on(rig.ops.flush_refusals()).unwrap();
    let mut reasons: Vec<_> = events(&rig, "refused")
        .into_iter()
        .filter(|event| event.detail["problem"] == "hook-refused")
        .map(|event| event.detail["reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["not paid", "on the grey list"]);
}

#[test]
fn a_created_device_is_asked_about_with_what_the_operator_said_of_it() {
    let rig = Rig::new();
    let secret = rig.group("shop", Enrollment::Known);
    let receiver = Receiver::start(|asked| {
        let labels = &asked.json()["created"]["labels"];
        say(json!({"allow": labels["hall"] == "7"}))
    });
    ask(&rig, "shop", &receiver);
    for (name, hall) in [("press-1", "7"), ("press-2", "8")] {
        let new = NewDevice {
            name: name.to_owned(),
            labels: [("hall".to_owned(), hall.to_owned())].into(),
            hardware: None,
        };
        rig.admin().create_device("default", "shop", &new).unwrap();
    }
    enroll(&rig, "shop", "press-1", &secret).unwrap();
    assert_eq!(
        refusal(enroll(&rig, "shop", "press-2", &secret)),
        "hook-refused"
    );
    // Who is turned away by the policy is not asked about.
    let asked = receiver.received().len();
    assert_eq!(
        refusal(enroll(&rig, "shop", "press-3", &secret)),
        "unknown-device"
    );
    let wrong = rig.group("other", Enrollment::Open);
    assert_eq!(
        refusal(enroll(&rig, "shop", "press-1", &wrong)),
        "secret-wrong"
    );
    assert_eq!(receiver.received().len(), asked);
}

#[test]
fn the_hook_is_asked_before_the_application_is_recorded() {
    let rig = Rig::new();
    let secret = rig.group("yard", Enrollment::Approve);
    let receiver = Receiver::start(|asked| {
        assert_eq!(asked.json()["needs_approval"], true);
        let known = asked.json()["name"] == "crane-1";
        say(json!({"allow": known, "labels": {"hall": "9"}}))
    });
    ask(&rig, "yard", &receiver);
    assert_eq!(
        refusal(enroll(&rig, "yard", "crane-2", &secret)),
        "hook-refused"
    );
    nobody_is_in(&rig, "yard");
    let device = rig.device("yard", "crane-1", &secret);
    for _ in 0..2 {
        let reply = rig.stranger().enroll(&device.request()).unwrap();
        assert!(matches!(reply, EnrollReply::Pending(_)));
    }
    let approval = enlist_wire::DeviceAction::default();
    let admin = rig.admin();
    admin
        .approve("default", "yard", "crane-1", &approval)
        .unwrap();
    let reply = rig.stranger().enroll(&device.request()).unwrap();
    assert!(matches!(reply, EnrollReply::Enrolled(_)));
    assert_eq!(receiver.received().len(), 2, "once for each newcomer");
    let there = admin.device("default", "yard", "crane-1").unwrap();
    assert_eq!(there.labels["hall"], "9");
}
