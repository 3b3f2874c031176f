//! Two servers on one database.

use enlist_ops::Location;
use enlist_testkit::{Postgres, Receiver, Rig, refusal};
use enlist_wire::Enrollment;
use serde_json::json;

use super::{ask, enroll, say};

#[test]
fn a_hook_made_at_one_server_is_asked_by_both_and_answers_hold_at_both() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("hooks"));
    let one = Rig::on_shared(place.clone());
    let two = Rig::beside(&one, place);
    let secret = one.group("intake", Enrollment::Open);
    one.group("line-4", Enrollment::Known);
    // Both take the short way so far.
    enroll(&one, "intake", "before-1", &secret).unwrap();
    enroll(&two, "intake", "before-2", &secret).unwrap();
    let receiver = Receiver::start(|asked| {
        let allow = asked.json()["name"] == "press-1";
        say(json!({"allow": allow, "group": "line-4"}))
    });
    ask(&one, "intake", &receiver);
    for rig in [&one, &two] {
        let refused = enroll(rig, "intake", "press-2", &secret);
        assert_eq!(refusal(refused), "hook-refused");
    }
    let mut device = one.device("intake", "press-1", &secret);
    let first = device.enroll(&one).unwrap();
    // The answer was lost, and the device asks the other server.
    assert_eq!(device.enroll(&two).unwrap(), first);
    assert_eq!(receiver.received().len(), 3);
}

#[test]
fn of_two_that_land_on_one_name_at_once_one_gets_it() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("names"));
    let one = Rig::on_shared(place.clone());
    let two = Rig::beside(&one, place);
    let secret = one.group("intake", Enrollment::Open);
    one.group("line-4", Enrollment::Known);
    let receiver =
        Receiver::start(|_| say(json!({"allow": true, "group": "line-4", "name": "press-7"})));
    ask(&one, "intake", &receiver);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let rigs = [&one, &two, &one, &two];
        let each: Vec<_> = rigs
            .into_iter()
            .enumerate()
            .map(|(n, rig)| {
                let secret = &secret;
                scope.spawn(move || enroll(rig, "intake", &format!("unnamed-{n}"), secret))
            })
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (well, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(well.len(), 1);
    for one in refused {
        assert_eq!(refusal(one), "name-taken");
    }
}
