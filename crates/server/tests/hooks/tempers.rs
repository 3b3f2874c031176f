//! Hooks of every temper: fail closed, and nothing is recorded.

use std::time::{Duration, Instant};

use enlist_testkit::{Answer, Receiver, Rig};
use enlist_wire::{ClientError, Enrollment};
use serde_json::json;

use super::{ask, enroll, hook, nobody_is_in, say};

#[track_caller]
fn lets_nobody_in(rig: &Rig, secret: &str) {
    match enroll(rig, "field", "press-1", secret) {
        Err(ClientError::Problem(problem)) => {
            assert_eq!((problem.slug(), problem.status), ("hook-unavailable", 503));
            assert!(problem.retry_after_s.is_some());
        }
        other => panic!("{other:?}"),
    }
    nobody_is_in(rig, "field");
}

#[track_caller]
fn fails_closed(answer: Answer) {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(move |_| answer.clone());
    ask(&rig, "field", &receiver);
    let begun = Instant::now();
    lets_nobody_in(&rig, &secret);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn one_that_hangs() {
    fails_closed(Answer::Never);
}

#[test]
fn one_that_is_too_late() {
    let yes = json!({"allow": true}).to_string().into_bytes();
    fails_closed(Answer::BodyLater(Duration::from_secs(4), yes));
}

#[test]
fn one_that_fails_with_a_yes_on_its_lips() {
    let yes = json!({"allow": true}).to_string().into_bytes();
    fails_closed(Answer::Body(500, yes));
}

#[test]
fn one_that_says_nothing() {
    fails_closed(Answer::Status(204));
}

#[test]
fn one_that_closes_the_connection() {
    fails_closed(Answer::Close);
}

#[test]
fn one_that_says_yes_at_great_length() {
    let mut yes = b"{\"allow\":true}".to_vec();
    yes.resize(10 * 1024 * 1024, b' ');
    fails_closed(Answer::Body(200, yes));
}

#[test]
fn one_that_redirects_to_loopback() {
    let elsewhere = Receiver::start(|_| say(json!({"allow": true})));
    fails_closed(Answer::Redirect(elsewhere.url()));
    assert!(elsewhere.received().is_empty());
}

#[test]
fn one_under_a_foreign_ca_is_not_even_asked() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let receiver = Receiver::start(|_| say(json!({"allow": true})));
    let other = Receiver::start(|_| say(json!({"allow": true})));
    let mut foreign = hook(&receiver);
    foreign.ca = Some(other.ca_pem().to_owned());
    rig.admin()
        .create_hook("default", "field", &foreign)
        .unwrap();
    lets_nobody_in(&rig, &secret);
    assert!(receiver.received().is_empty());
}

#[test]
fn one_that_is_down_and_comes_back() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    let mut receiver = Receiver::start(|_| say(json!({"allow": true})));
    ask(&rig, "field", &receiver);
    receiver.down();
    lets_nobody_in(&rig, &secret);
    receiver.up();
    enroll(&rig, "field", "press-1", &secret).unwrap();
}

#[test]
fn a_group_that_has_let_somebody_in_the_short_way_asks_its_new_hook() {
    let rig = Rig::new();
    let secret = rig.group("field", Enrollment::Open);
    for n in 0..3 {
        enroll(&rig, "field", &format!("before-{n}"), &secret).unwrap();
    }
    let receiver = Receiver::start(|_| say(json!({"allow": false})));
    ask(&rig, "field", &receiver);
    let refused = enroll(&rig, "field", "after", &secret);
    assert_eq!(enlist_testkit::refusal(refused), "hook-refused");
    rig.admin().delete_hook("default", "field").unwrap();
    enroll(&rig, "field", "after", &secret).unwrap();
    assert_eq!(receiver.received().len(), 1);
}
