//! Whom a route refuses before it looks at what is asked.

use std::collections::BTreeMap;

use enlist_ops::Reach;
use enlist_server::Entry;

use crate::ask::{Ask, filled, guarded, named};
use crate::cast::{Hall, ROLES, includes};

/// The routes that strangers may call, with the reason. What is not below one of these takes an API token.
const OPEN: &[(&str, &str)] = &[
    ("GET /healthz", "says that the server runs"),
    ("GET /readyz", "says that its store answers"),
    ("GET /v1/root.pem", "a trust anchor is no secret"),
    ("GET /v1/time", "the time is no secret; clocks start here"),
    ("GET /v1/openapi.json", "the description of the API"),
    ("GET /v1/device", "asks for a device's certificate"),
    ("GET /v1/device/wait", "asks for a device's certificate"),
    ("POST /v1/device/enroll", "asks for a secret, or a proof"),
    (
        "POST /v1/device/enroll/challenge",
        "slowed down by address; gives nothing that a stranger could not make",
    ),
    ("POST /v1/device/nonce", "a nonce is good for nothing alone"),
    (
        "POST /v1/device/renew",
        "asks for a certificate, or token and key",
    ),
    (
        "POST /v1/device/poll",
        "asks for a device's certificate, or token",
    ),
    ("POST /v1/device/token", "asks for a device's certificate"),
    (
        "POST /v1/device/decommission",
        "asks for a device's certificate",
    ),
    ("POST /v1/device/receipt", "signed by the key of the device"),
    (
        "GET /crl/",
        "signed, and read by whoever checks a certificate",
    ),
    (
        "GET /ocsp/",
        "signed, and read by whoever checks a certificate",
    ),
    (
        "POST /ocsp",
        "signed, and read by whoever checks a certificate",
    ),
    (
        "GET /ca/",
        "certificates of CAs, read by whoever checks one",
    ),
    (
        "EST",
        "RFC 7030: asks for a secret or a certificate of its own",
    ),
];

#[test]
fn every_route_is_for_holders_of_tokens_or_is_listed_with_a_reason() {
    let mut unused: BTreeMap<_, _> = OPEN.iter().copied().collect();
    let mut routes = 0;
    for route in enlist_server::routes() {
        routes += 1;
        let name = named(&route);
        assert_ne!(
            route.entry,
            Entry::Undeclared,
            "{name} does not say who may use it"
        );
        if route.entry != Entry::Everybody {
            continue;
        }
        let listed = OPEN.iter().find(|(open, _)| match *open {
            "EST" => route.path.contains("/.well-known/est"),
            open if open.ends_with('/') => name.starts_with(open),
            open => name == open,
        });
        let (open, _) = listed.unwrap_or_else(|| panic!("{name} is open to strangers"));
        unused.remove(open);
    }
    assert!(unused.is_empty(), "there is no such route: {unused:?}");
    assert!(routes > 80, "{routes}");
}

#[test]
fn no_route_lets_a_stranger_in_nor_a_token_that_is_forged_spent_or_withdrawn() {
    let hall = Hall::new();
    let [expired, withdrawn] = hall.spent_tokens();
    for route in guarded() {
        let ask = Ask::bare(filled(&route.path));
        let forged = "eat_aaaaaaaaaa_AAAA";
        for token in [None, Some(forged), Some(&expired), Some(&withdrawn)] {
            let answer = ask.send(&hall, &route.method, token);
            let said = (answer.status, answer.slug());
            assert_eq!(
                said,
                (401, "unauthenticated".to_owned()),
                "{}",
                named(&route)
            );
        }
        if route.method == "GET" {
            // There is no body to read the slug from.
            let head = ask.send(&hall, "HEAD", None);
            assert_eq!(head.status, 401, "HEAD {}", route.path);
        }
    }
}

#[test]
fn every_route_refuses_the_roles_that_may_not_and_what_does_not_reach_so_far() {
    let hall = Hall::new();
    let tokens: Vec<_> = ROLES
        .iter()
        .map(|role| {
            let narrow = hall.token("default", Some("pumps"), *role);
            let tenants = hall.token("default", None, *role);
            (*role, hall.wide_token(*role), tenants, narrow)
        })
        .collect();
    for route in guarded() {
        let Entry::Token {
            role: needed,
            reach,
        } = route.entry
        else {
            panic!("{}", named(&route));
        };
        // Of what is not there nothing changes.
        // And whoever takes a body takes no such one.
        let path = filled(&route.path).replace("pumps", "none");
        let ask = Ask::typed(path, "application/json", b"{".to_vec());
        for (role, wide, tenants, narrow) in &tokens {
            let refused = |token: &str| {
                let answer = ask.send(&hall, &route.method, Some(token));
                (answer.status == 403).then(|| answer.slug())
            };
            let name = format!("{} by {role:?}", named(&route));
            if !includes(*role, needed) {
                for token in [wide, tenants, narrow] {
                    assert_eq!(refused(token).as_deref(), Some("forbidden"), "{name}");
                }
                continue;
            }
            let expected = match reach {
                Reach::Installation => [Some("not-installation-wide"), None],
                Reach::Tenant => [None, Some("not-tenant-wide")],
                Reach::Group => [None, None],
            };
            assert_eq!(refused(wide), None, "{name}");
            assert_eq!(refused(tenants).as_deref(), expected[0], "{name}");
            let by_group = refused(narrow);
            assert_eq!(by_group.as_deref(), expected[1].or(expected[0]), "{name}");
        }
    }
}
