//! What is read, and by whom.

use enlist_ops::Reach;
use enlist_server::{Entry, Route};
use enlist_wire::Role;

use crate::ask::{Ask, filled, guarded, named};
use crate::cast::Hall;

fn reads() -> impl Iterator<Item = Route> {
    guarded().into_iter().filter(|route| route.method == "GET")
}

fn with_a_device() -> Hall {
    let hall = Hall::new();
    hall.enrolled_device("pumps", "pump-1", &hall.secret);
    hall
}

#[test]
fn to_a_token_of_another_tenant_nothing_of_this_one_is_there() {
    let hall = with_a_device();
    let theirs = hall.token("acme", None, Role::Admin);
    let mut walked = 0;
    for route in reads().filter(|route| route.path.contains("{tenant}")) {
        let answer = Ask::bare(filled(&route.path)).send(&hall, "GET", Some(&theirs));
        let said = (answer.status, answer.slug());
        assert_eq!(
            said,
            (404, "tenant-not-found".to_owned()),
            "{}",
            named(&route)
        );
        walked += 1;
    }
    assert!(walked > 15, "{walked}");
}

#[test]
fn to_a_token_of_another_group_nothing_of_this_one_is_there() {
    let hall = with_a_device();
    let others = hall.token("default", Some("valves"), Role::Admin);
    let own = hall.token("default", Some("pumps"), Role::Admin);
    let mut walked = 0;
    for route in reads().filter(|route| route.path.contains("{tenant}")) {
        let ask = Ask::bare(filled(&route.path));
        let answer = ask.send(&hall, "GET", Some(&others));
        let name = named(&route);
        walked += 1;
        if route.path.contains("{group}") {
            let said = (answer.status, answer.slug());
            assert_eq!(said, (404, "group-not-found".to_owned()), "{name}");
            let answer = ask.send(&hall, "GET", Some(&own));
            assert!(![401, 403].contains(&answer.status), "{name}");
            // What is not configured is not there, but the group is.
            let missing = answer.status == 404 && answer.slug() == "group-not-found";
            assert!(!missing, "{name}");
            continue;
        }
        match route.entry {
            Entry::Token {
                reach: Reach::Tenant,
                ..
            } => {
                assert_eq!(answer.slug(), "not-tenant-wide", "{name}");
            }
            _ => {
                // Its part, in which there is nothing of the other one.
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                assert!(!answer.text().contains("pump"), "{name}: {}", answer.text());
            }
        }
    }
    assert!(walked > 15, "{walked}");
}

#[test]
fn the_lists_that_a_groups_token_may_see_show_its_part() {
    let hall = with_a_device();
    hall.token("default", None, Role::Viewer);
    let own = hall.client_with_token(&hall.token("default", Some("pumps"), Role::Admin));
    let groups = own.groups("default").unwrap().items;
    assert_eq!(
        groups.iter().map(|one| &*one.name).collect::<Vec<_>>(),
        ["pumps"]
    );
    assert_eq!(
        own.certificates("default", &Default::default())
            .unwrap()
            .items
            .len(),
        1
    );
    let events = own.events("default", &Default::default()).unwrap().items;
    assert!(events.len() >= 3, "{events:?}");
    assert!(
        events
            .iter()
            .all(|one| one.group.as_deref() == Some("pumps"))
    );
    let tokens = own.tokens("default").unwrap().items;
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].group.as_deref(), Some("pumps"));
    let tenants = own.tenants().unwrap().items;
    assert_eq!(
        tenants.iter().map(|one| &*one.name).collect::<Vec<_>>(),
        ["default"]
    );
    let whoami = own.whoami().unwrap();
    assert_eq!(whoami.group.as_deref(), Some("pumps"));
    own.issuing_ca("default").unwrap();
}
