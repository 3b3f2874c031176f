//! What changes something: whom it refuses when it is asked rightly, and that it leaves an event.

use std::collections::BTreeMap;

use enlist_ops::Reach;
use enlist_server::{Entry, Route};
use enlist_wire::Role;

use crate::ask::{Ask, named};
use crate::cast::{Hall, ROLES, includes};
use crate::fixtures::{Fixture, fixtures};

#[test]
fn every_route_that_changes_something_has_a_fixture_and_every_fixture_a_route() {
    let mut left: BTreeMap<_, _> = fixtures().into_iter().collect();
    assert_eq!(left.len(), fixtures().len(), "a route has one fixture");
    for route in enlist_server::routes() {
        let name = named(&route);
        if route.method != "GET" {
            let there = left.remove(&*name);
            assert!(
                there.is_some(),
                "{name} has no fixture in tests/routes/fixtures"
            );
        }
    }
    let left: Vec<_> = left.into_keys().collect();
    assert!(left.is_empty(), "there is no such route: {left:?}");
}

#[test]
fn every_deed_refuses_whom_it_must_serves_whom_it_may_and_leaves_an_event() {
    let fixtures: BTreeMap<_, _> = fixtures().into_iter().collect();
    for route in enlist_server::routes() {
        let name = named(&route);
        let Some(fixture) = fixtures.get(&*name) else {
            continue;
        };
        match fixture {
            Fixture::Silent(why) => assert!(!why.is_empty(), "{name}"),
            Fixture::OfTheRoot(_) if enlist_testkit::ca_key_store().is_some() => {}
            Fixture::Call(prepare) | Fixture::OfTheRoot(prepare) => walk(&route, *prepare),
            Fixture::Device(prepare) => {
                let hall = Hall::new();
                let act = prepare(&hall);
                let before = hall.events();
                act();
                assert!(hall.events() > before, "{name} leaves no event");
            }
        }
    }
}

fn walk(route: &Route, prepare: fn(&Hall) -> Ask) {
    let hall = Hall::new();
    let ask = prepare(&hall);
    let name = named(route);
    let Entry::Token {
        role: needed,
        reach,
    } = route.entry
    else {
        panic!("{name} is for everybody: its fixture is a device's");
    };
    let group = ask.path.split("/groups/").nth(1).unwrap_or("pumps");
    let group = group.split('/').next().unwrap();
    let least = hall.least_token(route.entry, group);
    let mut refusals = Vec::new();
    for role in ROLES {
        if !includes(role, needed) {
            refusals.push((hall.wide_token(role), "forbidden"));
            refusals.push((hall.token("default", Some(group), role), "forbidden"));
        }
    }
    let theirs = hall.token("acme", None, Role::Admin);
    let others = hall.token("default", Some("valves"), Role::Admin);
    let in_tenant = route.path.contains("{tenant}");
    refusals.push((
        theirs,
        if in_tenant {
            "tenant-not-found"
        } else {
            "not-installation-wide"
        },
    ));
    refusals.push(match (reach, route.path.contains("{group}")) {
        (Reach::Installation, _) => (others, "not-installation-wide"),
        (Reach::Tenant, _) => (others, "not-tenant-wide"),
        (Reach::Group, true) => (others, "group-not-found"),
        // Its own part, which it may change: see the stories of tokens.
        (Reach::Group, false) => (String::new(), "unauthenticated"),
    });
    let before = hall.events();
    for (token, slug) in &refusals {
        let answer = ask.send(&hall, &route.method, Some(token));
        assert_eq!(answer.slug(), *slug, "{name}");
    }
    assert_eq!(hall.events(), before, "{name}: a refusal changes nothing");
    let answer = ask.send(&hall, &route.method, Some(&least));
    let good = (200..300).contains(&answer.status);
    assert!(good, "{name}: {} {}", answer.status, answer.text());
    assert!(hall.events() > before, "{name} leaves no event");
}
