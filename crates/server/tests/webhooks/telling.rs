//! What a receiver is told, when, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use enlist_testkit::{Answer, Receiver, Rig, refusal};
use enlist_wire::{DeviceAction, Enrollment, RetryDeadLetters};

use super::{
    a_device, by_device, events_since, events_so_far, eventually, has_all, read, some_devices,
    standing, tell, tell_of, webhook,
};

const A_DAY: Duration = Duration::from_secs(25 * 60 * 60);

#[test]
fn a_receiver_that_was_down_gets_every_event_in_order_for_each_device() {
    let rig = Rig::new();
    let mut receiver = Receiver::start(|_| Answer::Status(200));
    let before = events_so_far(&rig);
    tell(&rig, "erp", &receiver);
    receiver.down();
    some_devices(&rig, 12);
    eventually(&rig, "it is noticed", || {
        standing(&rig, "erp").failing_since.is_some()
    });
    let down = standing(&rig, "erp");
    assert!(down.error.unwrap().contains("connect"));
    assert!(down.behind > 0);
    rig.clock.advance(Duration::from_secs(2 * 60 * 60));
    let secret = rig
        .admin()
        .create_secret("default", "pumps", &Default::default());
    let secret = secret.unwrap().secret.expose().to_owned();
    a_device(&rig, &secret, "pump-late");
    assert_eq!(receiver.received().len(), 0);

    receiver.up();
    let events = events_since(&rig, &before);
    eventually(&rig, "all is told", || has_all(&receiver, &events));
    for (device, kinds) in by_device(&receiver.received()) {
        let expected = ["device-enrolled", "device-suspended", "device-resumed"];
        assert_eq!(kinds, expected, "{device}");
    }
    eventually(&rig, "that stands in the record", || {
        let up = standing(&rig, "erp");
        up.failing_since.is_none() && up.behind == 0 && up.dead_letters == 0
    });
}

#[test]
fn an_event_that_is_not_taken_holds_up_its_own_device_alone_and_then_is_a_dead_letter() {
    let rig = Rig::new();
    let refuses = Arc::new(AtomicBool::new(true));
    let switch = refuses.clone();
    let receiver = Receiver::start(move |received| {
        let message = read(received);
        let is_it = message.data.event.device.as_deref() == Some("pump-0")
            && message.kind == "device-enrolled";
        match is_it && switch.load(Ordering::SeqCst) {
            true => Answer::Status(500),
            false => Answer::Status(200),
        }
    });
    tell(&rig, "erp", &receiver);
    some_devices(&rig, 3);
    let told = |device: &str, kind: &str| {
        receiver.received().iter().map(read).any(|message| {
            message.kind == kind && message.data.event.device.as_deref() == Some(device)
        })
    };
    eventually(&rig, "others go on", || {
        told("pump-1", "device-resumed") && told("pump-2", "device-resumed")
    });
    eventually(&rig, "it is tried again", || {
        receiver
            .received()
            .iter()
            .map(read)
            .filter(|message| {
                message.kind == "device-enrolled"
                    && message.data.event.device.as_deref() == Some("pump-0")
            })
            .count()
            > 2
    });
    assert!(!told("pump-0", "device-suspended"), "nothing overtakes it");
    assert_eq!(standing(&rig, "erp").dead_letters, 0);

    rig.clock.advance(A_DAY);
    eventually(&rig, "it is given up, and what follows goes on", || {
        told("pump-0", "device-resumed")
    });
    let letters = || {
        rig.admin()
            .dead_letters("default", "erp", &Default::default())
    };
    eventually(&rig, "it is listed", || letters().unwrap().items.len() == 1);
    let letter = letters().unwrap().items.remove(0);
    assert_eq!(letter.kind.as_deref(), Some("device-enrolled"));
    assert_eq!(letter.error.as_deref(), Some("it answered 500"));
    assert!(letter.given_up_at.is_some());

    refuses.store(false, Ordering::SeqCst);
    let retry = |seq| {
        let which = RetryDeadLetters { seq };
        rig.admin().retry_dead_letters("default", "erp", &which)
    };
    assert_eq!(
        refusal(retry(Some(letter.seq + 1))),
        "dead-letter-not-found"
    );
    assert_eq!(retry(Some(letter.seq)).unwrap().retried, 1);
    eventually(&rig, "it is told at last", || {
        let up = standing(&rig, "erp");
        up.dead_letters == 0 && up.behind == 0
    });
    assert_eq!(retry(None).unwrap().retried, 0);
}

#[test]
fn it_is_told_what_it_was_made_for_and_nothing_else() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(202));
    rig.group("valves", Enrollment::Known);
    let mut some = webhook("some", &receiver);
    some.group = Some("valves".to_owned());
    some.kinds = Some(vec!["device-created".to_owned()]);
    tell_of(&rig, &some);
    some_devices(&rig, 2);
    let new = enlist_wire::NewDevice {
        name: "valve-1".to_owned(),
        labels: Default::default(),
        hardware: None,
    };
    rig.admin()
        .create_device("default", "valves", &new)
        .unwrap();
    let secret = rig
        .admin()
        .create_secret("default", "valves", &Default::default());
    assert!(secret.is_ok());
    eventually(&rig, "all is looked at", || {
        standing(&rig, "some").behind == 0
    });
    eventually(&rig, "it is told", || !receiver.received().is_empty());
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    let message = read(&received[0]);
    assert_eq!(message.kind, "device-created");
    assert_eq!(message.data.event.group.as_deref(), Some("valves"));
    // It is the event as the API shows it, but for what the token is called.
    let shown = rig.admin().events("default", &Default::default()).unwrap();
    let id = message.data.event.event_id;
    let shown = shown.items.into_iter().find(|event| event.event_id == id);
    let shown = shown.map(|event| enlist_wire::Event {
        by_label: None,
        ..event
    });
    assert_eq!(shown, Some(message.data.event));
}

#[test]
fn a_webhook_that_is_deleted_is_told_nothing_more() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Later(Duration::from_millis(400), 200));
    tell(&rig, "erp", &receiver);
    some_devices(&rig, 2);
    let secret = rig
        .admin()
        .create_secret("default", "pumps", &Default::default());
    let secret = secret.unwrap().secret.expose().to_owned();
    rig.enrolled_device("pumps", "pump-busy", &secret);
    let action = DeviceAction::default();
    for _ in 0..8 {
        rig.admin()
            .suspend("default", "pumps", "pump-busy", &action)
            .unwrap();
        rig.admin()
            .resume("default", "pumps", "pump-busy", &action)
            .unwrap();
    }
    eventually(&rig, "it begins", || !receiver.received().is_empty());
    rig.admin().delete_webhook("default", "erp").unwrap();
    // One look, with room for a machine that is busy.
    std::thread::sleep(Duration::from_millis(2500));
    let so_far = receiver.received().len();
    assert!(so_far < 18, "{so_far} of more than 18");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.received().len(), so_far);
    assert_eq!(
        refusal(rig.admin().delete_webhook("default", "erp")),
        "webhook-not-found"
    );
}
