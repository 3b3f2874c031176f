//! Who may do what: roles, tenants, and every route there is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    Client, DeviceAction, Enrollment, EventsQuery, NewDevice, NewGroup, NewSecret, NewTenant,
    NewToken, PreEnroll, Role,
};

fn token(rig: &Rig, tenant: &str, role: Role) -> Client {
    let new = NewToken {
        label: "test".to_owned(),
        role,
        group: None,
        expires_in_s: None,
    };
    let created = rig.admin().create_token(tenant, &new).unwrap();
    rig.client_with_token(created.token.expose())
}

fn named(name: &str) -> NewDevice {
    NewDevice {
        name: name.to_owned(),
        labels: Default::default(),
        hardware: None,
    }
}

#[test]
fn tenants_cannot_see_each_other() {
    let rig = Rig::new();
    let acme = NewTenant::named("acme");
    rig.admin().create_tenant(&acme).unwrap();
    rig.group("pumps", Enrollment::Open);
    let stranger = token(&rig, "acme", Role::Admin);
    let act = DeviceAction::default();
    assert_eq!(refusal(stranger.groups("default")), "tenant-not-found");
    assert_eq!(
        refusal(stranger.group("default", "pumps")),
        "tenant-not-found"
    );
    assert_eq!(
        refusal(stranger.create_group("default", &NewGroup::named("x"))),
        "tenant-not-found"
    );
    assert_eq!(
        refusal(stranger.device("default", "pumps", "a")),
        "tenant-not-found"
    );
    assert_eq!(
        refusal(stranger.suspend("default", "pumps", "a", &act)),
        "tenant-not-found"
    );
    assert_eq!(
        refusal(stranger.events("default", &Default::default())),
        "tenant-not-found"
    );
    assert_eq!(refusal(stranger.tokens("default")), "tenant-not-found");
    assert_eq!(refusal(stranger.issuing_ca("default")), "tenant-not-found");
    let seen = stranger.tenants().unwrap().items;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].name, "acme");
    assert_eq!(
        refusal(stranger.create_tenant(&acme)),
        "not-installation-wide"
    );
}

#[test]
fn a_secret_of_one_tenant_opens_nothing_in_another() {
    let rig = Rig::new();
    let acme = NewTenant::named("acme");
    rig.admin().create_tenant(&acme).unwrap();
    let open = |tenant: &str| {
        let group = NewGroup {
            enrollment: Enrollment::Open,
            ..NewGroup::named("pumps")
        };
        let created = rig.admin().create_group(tenant, &group).unwrap();
        created.secret.unwrap().secret.expose().to_owned()
    };
    let (ours, theirs) = (open("default"), open("acme"));
    let mut device = rig.device("pumps", "pump-1", &theirs);
    assert_eq!(refusal(device.enroll(&rig)), "secret-wrong");
    device.secret = ours;
    let enrolled = device.enroll(&rig).unwrap();

    // The same name in the other tenant is another device, under another CA.
    let mut other = rig.device("pumps", "pump-1", &theirs);
    other.tenant = "acme".to_owned();
    let there = other.enroll(&rig).unwrap();
    assert_ne!(there.device_id, enrolled.device_id);
    assert_ne!(there.issuing_ca, enrolled.issuing_ca);
    assert_eq!(there.root, enrolled.root);
}

#[test]
fn roles_hold() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Known);
    let ahead = PreEnroll::default();
    let act = DeviceAction::default();

    let viewer = token(&rig, "default", Role::Viewer);
    viewer.groups("default").unwrap();
    assert_eq!(
        refusal(viewer.create_device("default", "pumps", &named("a"))),
        "forbidden"
    );

    let factory = token(&rig, "default", Role::Factory);
    factory
        .create_device("default", "pumps", &named("a"))
        .unwrap();
    factory.pre_enroll("default", "pumps", "b", &ahead).unwrap();
    assert_eq!(refusal(factory.groups("default")), "forbidden");
    assert_eq!(
        refusal(factory.delete_device("default", "pumps", "a")),
        "forbidden"
    );
    assert_eq!(
        refusal(factory.create_secret("default", "pumps", &NewSecret::default())),
        "forbidden"
    );

    let operator = token(&rig, "default", Role::Operator);
    operator
        .create_group("default", &NewGroup::named("valves"))
        .unwrap();
    assert_eq!(
        refusal(operator.suspend("default", "pumps", "a", &act)),
        "invalid-transition"
    );
    assert_eq!(refusal(operator.tokens("default")), "forbidden");
}

#[test]
fn an_expired_or_withdrawn_token_opens_nothing() {
    let rig = Rig::new();
    let short = NewToken {
        label: "short".to_owned(),
        role: Role::Admin,
        group: None,
        expires_in_s: Some(60),
    };
    let created = rig.admin().create_token("default", &short).unwrap();
    let client = rig.client_with_token(created.token.expose());
    client.whoami().unwrap();
    rig.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(refusal(client.whoami()), "unauthenticated");

    let client = token(&rig, "default", Role::Admin);
    let id = client.whoami().unwrap().token_id;
    assert_eq!(
        refusal(client.delete_token("default", id)),
        "invalid-request"
    );
    rig.admin().delete_token("default", id).unwrap();
    assert_eq!(refusal(client.whoami()), "unauthenticated");
}

/// What strangers may call: the device API, which has proofs of its own, and what is public.
const OPEN_TO_STRANGERS: [&str; 12] = [
    "GET /healthz",
    "GET /readyz",
    "GET /v1/root.pem",
    "GET /v1/time",
    "GET /v1/device",
    "POST /v1/device/enroll",
    "POST /v1/device/enroll/challenge",
    "POST /v1/device/nonce",
    "POST /v1/device/renew",
    // Without a body they come no further; a certificate is asked for next, and of a receipt nothing.
    "POST /v1/device/poll",
    "POST /v1/device/token",
    "POST /v1/device/receipt",
];

#[test]
fn every_route_but_the_listed_ones_refuses_strangers() {
    let rig = Rig::new();
    let document = enlist_server::openapi_document();
    let mut open = BTreeSet::new();
    let mut routes = 0;
    for (path, item) in &document.paths.paths {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("DELETE", &item.delete),
            ("PUT", &item.put),
        ];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            routes += 1;
            assert!(
                operation.responses.responses.contains_key("default"),
                "{method} {path}"
            );
            let path = path.replace(['{', '}'], "");
            let status = rig.raw(method, &path, &[], b"").status;
            if status != 401 {
                open.insert(format!("{method} {path}"));
            }
            let forged = [("authorization", "Bearer eat_aaaaaaaaaa_AAAA")];
            let status = rig.raw(method, &path, &forged, b"").status;
            assert!(
                status == 401 || open.contains(&format!("{method} {path}")),
                "{path}"
            );
        }
    }
    // Without a certificate, the device API's own refusal is 401, too.
    open.insert("GET /v1/device".to_owned());
    assert!(routes > 30);
    let listed = OPEN_TO_STRANGERS.map(str::to_owned);
    assert_eq!(open, BTreeSet::from(listed));
}

#[test]
fn a_groups_token_makes_no_token_that_is_wider_than_itself() {
    let rig = Rig::new();
    rig.group("field", Enrollment::Approve);
    rig.group("pumps", Enrollment::Open);
    let new = |group: Option<&str>, expires_in_s| NewToken {
        label: "made".to_owned(),
        role: Role::Admin,
        group: group.map(str::to_owned),
        expires_in_s,
    };
    let own = rig
        .admin()
        .create_token("default", &new(Some("field"), Some(3600)));
    let own = rig.client_with_token(own.unwrap().token.expose());
    let made = |new: &NewToken| own.create_token("default", new);
    assert_eq!(
        refusal(made(&new(Some("pumps"), Some(60)))),
        "group-not-found"
    );
    assert_eq!(refusal(made(&new(None, None))), "invalid-request");
    assert_eq!(refusal(made(&new(None, Some(3601)))), "invalid-request");
    let there = made(&new(None, Some(60))).unwrap();
    assert_eq!(there.group.as_deref(), Some("field"));
    let theirs = rig
        .admin()
        .create_token("default", &new(None, None))
        .unwrap();
    let withdrawn = own.delete_token("default", theirs.token_id);
    assert_eq!(refusal(withdrawn), "token-not-found");
    assert_eq!(
        refusal(own.create_installation_token(&new(None, Some(60)))),
        "not-installation-wide"
    );

    // With the group its tokens go.
    rig.admin().delete_group("default", "field").unwrap();
    assert_eq!(refusal(own.whoami()), "unauthenticated");
    let query = EventsQuery {
        kind: Some("token-withdrawn".to_owned()),
        ..EventsQuery::default()
    };
    assert_eq!(
        rig.admin().events("default", &query).unwrap().items.len(),
        2
    );
    assert_eq!(rig.admin().tokens("default").unwrap().items.len(), 1);
}
