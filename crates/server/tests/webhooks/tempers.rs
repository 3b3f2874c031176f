//! Receivers of every temper: each is told all in the end, and says why it was not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use enlist_testkit::{Answer, Receiver, Rig};
use enlist_wire::{Enrollment, NewGroup, NewHook, NewTenant};

use super::{
    events_since, events_so_far, eventually, has_all, read, some_devices, standing, tell_of,
    webhook,
};

/// A receiver whose answer can be changed.
fn moody(first: Answer) -> (Receiver, Arc<Mutex<Answer>>) {
    let mood = Arc::new(Mutex::new(first));
    let answer = mood.clone();
    let receiver = Receiver::start(move |_| answer.lock().unwrap().clone());
    (receiver, mood)
}

#[track_caller]
fn gets_all_after(temper: Answer, error: &str) {
    let rig = Rig::new();
    let (receiver, mood) = moody(temper);
    let before = events_so_far(&rig);
    tell_of(&rig, &webhook("moody", &receiver));
    some_devices(&rig, 2);
    eventually(&rig, error, || {
        let said = standing(&rig, "moody").error;
        said.is_some_and(|said| said.contains(error))
    });
    *mood.lock().unwrap() = Answer::Status(200);
    let so_far = receiver.received().len();
    let events = events_since(&rig, &before);
    eventually(&rig, "all is told", || {
        let later = receiver.received().split_off(so_far);
        events
            .iter()
            .all(|id| later.iter().any(|one| one.id == *id))
    });
}

#[test]
fn one_that_answers_500() {
    gets_all_after(Answer::Status(500), "it answered 500");
}

#[test]
fn one_that_hangs() {
    gets_all_after(Answer::Never, "no whole answer within 10 seconds");
}

#[test]
fn one_that_redirects_to_loopback() {
    let secret_place = Receiver::start(|_| Answer::Status(200));
    gets_all_after(Answer::Redirect(secret_place.url()), "redirect 307");
    assert!(secret_place.received().is_empty());
}

#[test]
fn one_that_closes_the_connection() {
    gets_all_after(Answer::Close, "broke off");
}

#[test]
fn one_that_refuses_at_great_length() {
    let novel = vec![b'.'; 10 * 1024 * 1024];
    gets_all_after(Answer::Body(503, novel), "longer than 65536 bytes");
}

#[test]
fn one_that_agrees_at_great_length_has_agreed() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Body(200, vec![b'.'; 10 * 1024 * 1024]));
    let before = events_so_far(&rig);
    tell_of(&rig, &webhook("novelist", &receiver));
    some_devices(&rig, 1);
    let events = events_since(&rig, &before);
    eventually(&rig, "all is told", || {
        has_all(&receiver, &events) && standing(&rig, "novelist").behind == 0
    });
    assert_eq!(receiver.received().len(), events.len(), "and once");
}

#[test]
fn one_that_is_slow_gets_each_event_once() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Later(Duration::from_millis(700), 200));
    let before = events_so_far(&rig);
    tell_of(&rig, &webhook("slow", &receiver));
    some_devices(&rig, 6);
    let events = events_since(&rig, &before);
    eventually(&rig, "all is told", || {
        standing(&rig, "slow").behind == 0 && has_all(&receiver, &events)
    });
    assert_eq!(receiver.received().len(), events.len());
}

#[test]
fn many_that_hang_hold_up_neither_another_tenant_nor_a_hook() {
    let rig = Rig::new();
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    // Each would be asked about sixteen devices at once.
    let hanging: Vec<_> = (0..3)
        .map(|number| {
            let arrivals = arrivals.clone();
            let receiver = Receiver::start(move |_| {
                arrivals.lock().unwrap().push(Instant::now());
                Answer::Never
            });
            let mut new = webhook(&format!("hanging-{number}"), &receiver);
            new.kinds = Some(vec!["device-rejected".to_owned()]);
            tell_of(&rig, &new);
            receiver
        })
        .collect();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Approve,
        approval_timeout_h: Some(1),
        ..NewGroup::named("pumps")
    });
    for number in 0..40 {
        let pump = rig.device("pumps", &format!("pump-{number}"), &secret);
        rig.stranger().enroll(&pump.request()).unwrap();
    }
    let quick = Receiver::start(|_| Answer::Status(200));
    rig.admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    rig.block_on(rig.ops.seal_events()).unwrap();
    let theirs = webhook("quick", &quick);
    rig.admin().create_webhook("acme", &theirs).unwrap();
    let yes = Receiver::start(|_| Answer::Body(200, br#"{"allow": true}"#.to_vec()));
    let intake = rig.group("intake", Enrollment::Open);
    let hook = NewHook {
        url: yes.url(),
        ca: Some(yes.ca_pem().to_owned()),
        timeout_ms: 5000,
    };
    rig.admin().create_hook("default", "intake", &hook).unwrap();

    // All of them at once, so that they are told in one round.
    rig.clock.advance(Duration::from_secs(3600));
    assert_eq!(rig.block_on(rig.ops.lapse_applications()).unwrap(), 40);
    let count = || arrivals.lock().unwrap().len();
    eventually(&rig, "as many hang as may", || count() >= 32);
    let begun = Instant::now();
    let group = rig.admin().create_group("acme", &NewGroup::named("lamps"));
    assert!(group.is_ok());
    rig.enrolled_device("intake", "press-1", &intake);
    let asked = begun.elapsed();
    eventually(&rig, "the other tenant is told", || {
        let told = quick.received();
        told.iter().any(|one| read(one).kind == "group-created")
    });
    let told = begun.elapsed();
    // A call that hangs is given up after ten seconds; nobody has waited for that.
    assert!(asked < Duration::from_secs(5), "{asked:?}");
    assert!(told < Duration::from_secs(8), "{told:?}");
    let arrivals = arrivals.lock().unwrap().clone();
    let at_once = |at: &Instant| {
        let until = *at + Duration::from_secs(5);
        arrivals
            .iter()
            .filter(|one| (*at..until).contains(*one))
            .count()
    };
    assert_eq!(arrivals.iter().map(at_once).max(), Some(32));
    drop(hanging);
}

#[test]
fn one_under_a_foreign_ca_is_sent_nothing() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    let other = Receiver::start(|_| Answer::Status(200));
    let mut foreign = webhook("foreign", &receiver);
    foreign.ca = Some(other.ca_pem().to_owned());
    tell_of(&rig, &foreign);
    eventually(&rig, "it is said", || {
        let said = standing(&rig, "foreign").error;
        said.is_some_and(|said| said.contains("invalid peer certificate"))
    });
    assert!(receiver.received().is_empty());
}
