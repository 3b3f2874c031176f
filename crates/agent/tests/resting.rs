//! An agent that is put aside while it waits goes on as if it had stayed.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{DAY, Rig};

#[test]
fn an_agent_that_rested_waits_on_and_one_that_starts_anew_asks_first() {
    let (rig, mut agent) = Rig::enrolled();
    let (_, wait) = rig.pass(&mut agent);
    let rest = agent.rest().unwrap();
    drop(agent);
    let asked = rig.server.borrow().asked;

    let mut agent = rig.start();
    agent.take_up(rest);
    let (notes, again) = rig.pass(&mut agent);
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!((again, rig.server.borrow().asked), (wait, asked));
    rig.check_settled(&agent);
    drop(agent);

    let mut agent = rig.start();
    rig.pass(&mut agent);
    assert_eq!(rig.server.borrow().asked, asked + 1, "power came back");
}

#[test]
fn an_agent_that_rested_renews_when_it_is_due() {
    let (rig, mut agent) = Rig::enrolled();
    rig.pass(&mut agent);
    let (rest, before) = (agent.rest().unwrap(), Rig::identity(&agent));
    drop(agent);

    rig.clock.advance(6 * DAY);
    let mut agent = rig.start();
    agent.take_up(rest);
    rig.pass(&mut agent);
    let after = Rig::identity(&agent);
    assert_eq!(after.device_id, before.device_id);
    assert!(after.counter > before.counter, "{after:?}");
    rig.check_settled(&agent);

    // What rested before the renewal is no longer so.
    drop(agent);
    let asked = rig.server.borrow().asked;
    let mut agent = rig.start();
    agent.take_up(rest);
    rig.pass(&mut agent);
    assert_eq!(rig.server.borrow().asked, asked + 1, "it starts anew");
}

#[test]
fn an_agent_in_the_middle_of_something_does_not_rest() {
    let rig = Rig::new();
    let mut agent = rig.start();
    assert!(agent.rest().is_none(), "it has no certificate yet");
    rig.settle(&mut agent);
    rig.pass(&mut agent);
    assert!(agent.rest().is_some());
    rig.server.borrow_mut().gone_away = true;
    agent.poll_now();
    rig.pass(&mut agent);
    assert!(agent.machine().trouble().is_some());
    assert!(
        agent.rest().is_none(),
        "it waits for the server to come back"
    );
}
