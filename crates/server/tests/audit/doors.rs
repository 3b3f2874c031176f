use enlist_pki::PublicKey;
use enlist_signed::audit::{Line, Verifier};
use enlist_testkit::{Rig, refusal};
use enlist_wire::{Client, Enrollment, ExportQuery, NewTenant, NewToken, Role};

fn with_role(rig: &Rig, tenant: &str, role: Role) -> Client {
    let new = NewToken {
        label: "test".to_owned(),
        role,
        group: None,
        expires_in_s: None,
    };
    let created = rig.admin().create_token(tenant, &new).unwrap();
    rig.client_with_token(created.token.expose())
}

fn part(since: u64, limit: Option<u64>) -> ExportQuery {
    ExportQuery {
        since: Some(since),
        limit,
    }
}

fn lines(bytes: &[u8]) -> Vec<Line> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn an_export_is_verified_without_the_server_whole_and_in_parts() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    for number in 0..5 {
        rig.enrolled_device("pumps", &format!("pump-{number}"), &secret);
    }
    let client = rig.admin();
    let key = client.audit_key("default").unwrap();
    let key = PublicKey::from_pem(&key.public_key).unwrap();
    let whole = client.export_events("default", &ExportQuery::default());
    let whole = whole.unwrap();
    let walk = |parts: &[&[u8]]| {
        let mut verifier = Verifier::new(key.clone());
        for line in parts
            .iter()
            .flat_map(|part| part.split_inclusive(|it| *it == b'\n'))
        {
            verifier.line(line);
        }
        verifier.finish()
    };
    let verified = walk(&[&whole]);
    assert_eq!(verified.findings, []);
    let count = verified.events;
    assert!(count >= 7, "{count}");

    let one = client.export_events("default", &part(0, Some(3))).unwrap();
    let ends = lines(&one).pop();
    let third = |line: &Line| matches!(line, Line::Sealed(third) if third.seq == 3);
    assert!(
        ends.as_ref().is_some_and(third),
        "no head, as there is more: {ends:?}"
    );
    let two = client.export_events("default", &part(3, None)).unwrap();
    assert!(matches!(lines(&two)[0], Line::After(place) if place.seq == 3));
    assert_eq!(walk(&[&one, &two]).findings, []);
    let end = client.export_events("default", &part(count, Some(3)));
    let end = lines(&end.unwrap());
    assert!(
        matches!(end[..], [Line::After(_), Line::Head(_)]),
        "{end:?}"
    );
    let beyond = client.export_events("default", &part(count + 1, None));
    assert_eq!(refusal(beyond), "invalid-request");
    let nothing = client.export_events("default", &part(0, Some(0)));
    assert_eq!(refusal(nothing), "invalid-request");
}

#[test]
fn the_record_and_its_key_are_for_all_of_the_tenant_who_read() {
    let rig = Rig::new();
    rig.admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    let all = ExportQuery::default();
    for role in [Role::Admin, Role::Operator, Role::Viewer] {
        let client = with_role(&rig, "default", role);
        assert!(!client.export_events("default", &all).unwrap().is_empty());
    }
    let viewer = with_role(&rig, "default", Role::Viewer);
    assert!(viewer.audit_key("default").is_ok());
    let factory = with_role(&rig, "default", Role::Factory);
    assert_eq!(refusal(factory.export_events("default", &all)), "forbidden");
    assert_eq!(refusal(factory.audit_key("default")), "forbidden");
    let stranger = with_role(&rig, "acme", Role::Admin);
    let elsewhere = stranger.export_events("default", &all);
    assert_eq!(refusal(elsewhere), "tenant-not-found");
    assert_eq!(refusal(stranger.audit_key("default")), "tenant-not-found");
    // Each tenant has a key of its own.
    let own = stranger.audit_key("acme").unwrap().fingerprint;
    assert_ne!(own, viewer.audit_key("default").unwrap().fingerprint);
}

#[test]
fn the_server_seals_by_itself() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let started = std::time::Instant::now();
    while rig.admin().audit_key("default").unwrap().events < 2 {
        assert!(started.elapsed() < std::time::Duration::from_secs(20));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
