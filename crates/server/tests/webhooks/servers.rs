//! Two servers on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use enlist_ops::Location;
use enlist_testkit::{Answer, Postgres, Receiver, Rig};
use enlist_wire::Enrollment;

use super::{
    a_device, by_device, events_since, events_so_far, eventually, has_all, read, some_devices,
    standing, tell, webhook,
};

#[test]
fn both_tell_and_each_event_is_told_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("both"));
    let one = Rig::on_shared(place.clone());
    let two = Rig::beside(&one, place);
    let receiver = Receiver::start(|_| Answer::Later(Duration::from_millis(20), 200));
    let before = events_so_far(&one);
    tell(&one, "erp", &receiver);
    some_devices(&one, 15);
    let secret = two
        .admin()
        .create_secret("default", "pumps", &Default::default());
    let secret = secret.unwrap().secret.expose().to_owned();
    for n in 0..15 {
        a_device(&two, &secret, &format!("two-{n}"));
    }
    let events = events_since(&one, &before);
    eventually(&one, "all is told", || {
        two.clock.advance(Duration::from_millis(700));
        has_all(&receiver, &events) && standing(&two, "erp").behind == 0
    });
    for (device, kinds) in by_device(&receiver.received()) {
        let expected = ["device-enrolled", "device-suspended", "device-resumed"];
        assert_eq!(kinds, expected, "{device}");
    }
    let doubles = receiver.received().len() - events.len();
    assert_eq!(doubles, 0);
}

#[test]
fn a_tenant_has_sixteen_at_most_however_many_are_added_at_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("sixteen"));
    let one = Rig::on_shared(place.clone());
    let two = Rig::beside(&one, place);
    let receiver = Receiver::start(|_| Answer::Status(200));
    let add = |rig: &Rig, name: &str| {
        let new = webhook(name, &receiver);
        rig.admin().create_webhook("default", &new).is_ok()
    };
    for number in 0..14 {
        assert!(add(&one, &format!("before-{number}")));
    }
    let added = std::thread::scope(|scope| {
        let adding: Vec<_> = (0..8)
            .flat_map(|number| {
                [
                    (&one, format!("one-{number}")),
                    (&two, format!("two-{number}")),
                ]
            })
            .map(|(rig, name)| scope.spawn(move || add(rig, &name)))
            .collect();
        let added = adding.into_iter().map(|it| it.join().unwrap());
        added.filter(|is_added| *is_added).count()
    });
    assert_eq!(added, 2);
    assert_eq!(one.admin().webhooks("default").unwrap().items.len(), 16);
}

#[test]
fn what_was_taken_by_a_receiver_but_not_recorded_is_told_again_by_another_server() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("killed"));
    let one = Rig::on_shared(place.clone());
    let hangs = Arc::new(AtomicBool::new(true));
    let switch = hangs.clone();
    let receiver = Receiver::start(move |received| {
        let is_it = read(received).data.event.device.as_deref() == Some("pump-1");
        match is_it && switch.load(Ordering::SeqCst) {
            true => Answer::Never,
            false => Answer::Status(200),
        }
    });
    // What is in one window is recorded at once.
    let secret = one.group("pumps", Enrollment::Open);
    tell(&one, "erp", &receiver);
    eventually(&one, "all before is told", || {
        standing(&one, "erp").behind == 0
    });
    one.enrolled_device("pumps", "pump-0", &secret);
    one.enrolled_device("pumps", "pump-1", &secret);
    let told = |device: &str| {
        let received = receiver.received();
        let about = received
            .iter()
            .filter(|one| read(one).data.event.device.as_deref() == Some(device));
        about.map(|one| one.id.clone()).collect::<Vec<_>>()
    };
    eventually(&one, "both are sent", || {
        !told("pump-0").is_empty() && !told("pump-1").is_empty()
    });
    let two = Rig::beside(&one, place);
    one.kill();
    hangs.store(false, Ordering::SeqCst);
    // It takes the lease over when that has ended: within a minute.
    two.clock.advance(Duration::from_secs(46));
    eventually(&two, "all is told", || standing(&two, "erp").behind == 0);
    let (first, second) = (told("pump-0"), told("pump-1"));
    assert!(second.len() > 1, "{second:?}");
    assert!(
        first
            .iter()
            .chain(&second)
            .all(|id| *id == first[0] || *id == second[0])
    );
}
