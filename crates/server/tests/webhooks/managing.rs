//! Who may make webhooks, and of what.

use enlist_testkit::{Answer, Receiver, Rig, refusal};
use enlist_wire::{NewTenant, NewToken, NewWebhook, Role};

use super::{standing, tell, webhook};

/// Makes a webhook one that can never be told.
type Spoil = fn(&mut NewWebhook);

#[test]
fn what_can_never_be_told_is_refused_when_it_is_made() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    let good = webhook("erp", &receiver);
    let cases: [(&str, Spoil); 8] = [
        ("invalid-request", |new| {
            new.url = new.url.replace("https", "http");
        }),
        ("invalid-request", |new| {
            new.url = "https://user:word@localhost/".to_owned();
        }),
        ("invalid-request", |new| new.url = String::new()),
        ("invalid-request", |new| new.ca = Some("no PEM".to_owned())),
        ("invalid-request", |new| {
            new.kinds = Some(vec!["device-enroled".to_owned()]);
        }),
        ("invalid-request", |new| new.kinds = Some(Vec::new())),
        ("group-not-found", |new| new.group = Some("none".to_owned())),
        ("invalid-name", |new| new.name = "E R P".to_owned()),
    ];
    for (slug, spoil) in cases {
        let mut new = good.clone();
        spoil(&mut new);
        let made = rig.admin().create_webhook("default", &new);
        assert_eq!(refusal(made), slug, "{new:?}");
    }
    assert!(rig.admin().webhooks("default").unwrap().items.is_empty());
    tell(&rig, "erp", &receiver);
    let twice = rig.admin().create_webhook("default", &good);
    assert_eq!(refusal(twice), "name-taken");
    for n in 1..16 {
        tell(&rig, &format!("erp-{n}"), &receiver);
    }
    let one_more = rig
        .admin()
        .create_webhook("default", &webhook("more", &receiver));
    assert_eq!(refusal(one_more), "invalid-request");
}

#[test]
fn only_an_administrator_of_the_tenant_manages_webhooks() {
    let rig = Rig::new();
    let receiver = Receiver::start(|_| Answer::Status(200));
    tell(&rig, "erp", &receiver);
    rig.admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    let token = |tenant: &str, role| {
        let new = NewToken {
            label: "x".to_owned(),
            role,
            group: None,
            expires_in_s: None,
        };
        let made = rig.admin().create_token(tenant, &new).unwrap();
        rig.client_with_token(made.token.expose())
    };
    for (client, slug) in [
        (token("default", Role::Operator), "forbidden"),
        (token("default", Role::Viewer), "forbidden"),
        (token("acme", Role::Admin), "tenant-not-found"),
        (rig.stranger(), "unauthenticated"),
    ] {
        assert_eq!(refusal(client.webhooks("default")), slug);
        let made = client.create_webhook("default", &webhook("mine", &receiver));
        assert_eq!(refusal(made), slug);
        assert_eq!(refusal(client.test_webhook("default", "erp")), slug);
        assert_eq!(refusal(client.refresh_webhook("default", "erp")), slug);
        assert_eq!(refusal(client.delete_webhook("default", "erp")), slug);
        let letters = client.dead_letters("default", "erp", &Default::default());
        assert_eq!(refusal(letters), slug);
        let retried = client.retry_dead_letters("default", "erp", &Default::default());
        assert_eq!(refusal(retried), slug);
    }
    assert_eq!(
        refusal(rig.admin().test_webhook("acme", "erp")),
        "webhook-not-found"
    );
}

#[test]
fn a_test_says_what_is_wrong_and_each_verb_leaves_an_event() {
    let rig = Rig::new();
    let mut receiver = Receiver::start(|_| Answer::Status(200));
    tell(&rig, "erp", &receiver);
    assert!(rig.admin().test_webhook("default", "erp").unwrap().told);
    receiver.down();
    let tested = rig.admin().test_webhook("default", "erp").unwrap();
    assert!(!tested.told && tested.error.unwrap().contains("connect"));
    rig.admin().refresh_webhook("default", "erp").unwrap();
    rig.admin()
        .retry_dead_letters("default", "erp", &Default::default())
        .unwrap();
    assert!(standing(&rig, "erp").own_ca);
    rig.admin().delete_webhook("default", "erp").unwrap();
    let events = rig.admin().events("default", &Default::default()).unwrap();
    let kinds: Vec<_> = events
        .items
        .iter()
        .map(|event| event.kind.as_str())
        .collect();
    for kind in [
        "webhook-created",
        "webhook-tested",
        "webhook-secret-replaced",
        "dead-letters-retried",
        "webhook-deleted",
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let shown = format!("{events:?}");
    assert!(!shown.contains("whsec_"));
}
