//! What strangers send: each is refused with its own slug, and nothing of it stays.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use enlist_keys::FileKey;
use enlist_pki::csr;
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{Binary, Enrollment, EventsQuery, NewDevice, NewGroup};

fn enroll_with_csr(rig: &Rig, device: &FakeDevice, csr: Vec<u8>) -> String {
    let mut request = device.request();
    request.csr = Binary(csr);
    refusal(rig.stranger().enroll(&request))
}

#[test]
fn csrs_that_are_malformed_oversized_wrongly_signed_or_weak() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.device("pumps", "pump-1", &secret);
    let good = csr::build(&*device.key, "device").unwrap();
    let try_csr = |csr: Vec<u8>| enroll_with_csr(&rig, &device, csr);

    assert_eq!(try_csr(Vec::new()), "csr-malformed");
    assert_eq!(
        try_csr(b"-----BEGIN CERTIFICATE REQUEST-----".to_vec()),
        "csr-malformed"
    );
    assert_eq!(try_csr(good[..good.len() - 1].to_vec()), "csr-malformed");
    assert_eq!(try_csr([&good[..], b"\0"].concat()), "csr-trailing-bytes");
    assert_eq!(try_csr(vec![0x30; 20_000]), "csr-too-large");
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert_eq!(try_csr(flipped), "csr-wrong-signature");
    let devices = rig.admin().devices("default", "pumps", &Default::default());
    assert!(devices.unwrap().items.is_empty(), "nothing stays behind");
}

#[test]
fn a_weak_key_is_refused() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.device("pumps", "pump-1", &secret);
    let dir = tempfile::tempdir().unwrap();
    for (kind, option) in [
        ("rsa:1024", None),
        ("ec", Some("ec_paramgen_curve:secp521r1")),
    ] {
        let out = dir.path().join("csr.der");
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["req", "-new", "-nodes", "-newkey", kind, "-subj", "/CN=x"]);
        if let Some(option) = option {
            openssl.args(["-pkeyopt", option]);
        }
        openssl
            .args(["-outform", "DER", "-keyout"])
            .arg(dir.path().join("key"));
        let ran = openssl.arg("-out").arg(&out).output().unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let csr = std::fs::read(&out).unwrap();
        assert_eq!(
            enroll_with_csr(&rig, &device, csr),
            "csr-weak-key",
            "{kind}"
        );
    }
}

#[test]
fn a_csr_that_asks_for_more_is_cut_down_or_refused_as_the_profile_says() {
    let rig = Rig::new();
    let lax = rig.group("lax", Enrollment::Open);
    let mut strict = NewGroup {
        enrollment: Enrollment::Open,
        ..NewGroup::named("strict")
    };
    strict.profile.csr_extras = enlist_wire::CsrExtras::Refuse;
    let strict = rig.group_with(&strict);
    let greedy = |key: &FileKey| csr::build(key, "somebody-else").unwrap();

    let device = rig.device("strict", "pump-1", &strict);
    let csr = greedy(&device.key);
    assert_eq!(enroll_with_csr(&rig, &device, csr), "csr-asks-too-much");

    let mut device = rig.device("lax", "pump-1", &lax);
    device.enroll(&rig).unwrap();
    assert_eq!(
        device.certificate().common_name().as_deref(),
        Some("pump-1")
    );
}

#[test]
fn names_outside_the_rule_are_refused_with_the_nearest_one() {
    let rig = Rig::new();
    let refused = rig
        .admin()
        .create_group("default", &NewGroup::named("Room_2 Lights"));
    let refused = refused.unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(problem.slug(), "invalid-name");
    assert_eq!(problem.suggestion.as_deref(), Some("room-2-lights"));
    assert_eq!(problem.status, 422);

    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.device("pumps", "pump-1", &secret);
    device.name = Some("PUMP 1".to_owned());
    assert_eq!(refusal(device.enroll(&rig)), "invalid-name");
}

#[test]
fn bodies_over_the_limit_of_another_type_or_with_unknown_fields() {
    let rig = Rig::new();
    let json = ("content-type", "application/json");
    let enroll = |headers: &[(&str, &str)], body: &[u8]| {
        let answer = rig.raw("POST", "/v1/device/enroll", headers, body);
        assert_eq!(answer.content_type, "application/problem+json");
        (answer.status, answer.slug())
    };
    let (status, slug) = enroll(&[json], &vec![b' '; 100_000]);
    assert_eq!((status, slug.as_str()), (413, "body-too-large"));
    let (status, slug) = enroll(&[("content-type", "text/plain")], b"{}");
    assert_eq!((status, slug.as_str()), (415, "unsupported-media-type"));
    for body in [
        &b"{"[..],
        b"[]",
        b"{} {}",
        b"{\"csr\":7}",
        b"\xff\xfe",
        b"{\"evil\":1}",
    ] {
        let (status, slug) = enroll(&[json], body);
        assert_eq!((status, slug.as_str()), (422, "invalid-request"));
    }
    let answer = rig.raw("GET", "/v1/nothing", &[], b"");
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (404, "no-such-path")
    );
    let answer = rig.raw("DELETE", "/v1/device/enroll", &[], b"");
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (405, "no-such-method")
    );
}

/// What serde would read as an object's fields in their order.
#[test]
fn an_array_is_no_object() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret);
    let bearer = format!("Bearer {}", rig.admin_token());
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    let tenant = "/v1/tenants/default";
    let csr =
        Binary(csr::build(&FileKey::generate(enlist_pki::KeyKind::P256).unwrap(), "x").unwrap());
    let csr = serde_json::to_value(csr).unwrap();
    let enroll = serde_json::json!([
        "default", "pumps", secret, "pump-2", null, null, csr, "edt_x"
    ]);
    for (path, body) in [
        ("/v1/tenants".to_owned(), r#"["acme"]"#.to_owned()),
        (
            format!("{tenant}/groups"),
            r#"["lights","open"]"#.to_owned(),
        ),
        (
            format!("{tenant}/groups/pumps/devices"),
            r#" ["pump-3"]"#.to_owned(),
        ),
        (format!("{tenant}/groups/pumps/secrets"), "[]".to_owned()),
        (
            format!("{tenant}/groups/pumps/secrets"),
            "\n\t[\"line\"]".to_owned(),
        ),
        (
            format!("{tenant}/groups/pumps/devices/pump-1/suspend"),
            r#"["lost"]"#.to_owned(),
        ),
        (format!("{tenant}/groups/pumps/schema"), "[{}]".to_owned()),
        (
            "/v1/device/nonce".to_owned(),
            r#"["0198c5a8-0000-7000-8000-000000000000"]"#.to_owned(),
        ),
        ("/v1/device/enroll".to_owned(), enroll.to_string()),
    ] {
        let answer = rig.raw("POST", &path, &headers, body.as_bytes());
        let (status, slug, text) = (answer.status, answer.slug(), answer.text());
        assert_eq!((status, slug.as_str()), (422, "invalid-request"), "{path}");
        assert!(text.contains("an array"), "{path}: {text}");
    }
    let device = rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert_eq!(device.state, enlist_wire::DeviceState::Active);
    assert_eq!(
        rig.admin().secrets("default", "pumps").unwrap().items.len(),
        1
    );
}

#[test]
fn labels_have_bounds() {
    let rig = Rig::new();
    rig.group("pumps", Enrollment::Open);
    let with = |labels: Vec<(String, String)>| {
        let new = NewDevice {
            name: "pump-1".to_owned(),
            labels: labels.into_iter().collect(),
            hardware: None,
        };
        rig.admin().create_device("default", "pumps", &new)
    };
    let many = (0..33).map(|n| (n.to_string(), String::new())).collect();
    assert_eq!(refusal(with(many)), "invalid-request");
    assert_eq!(
        refusal(with(vec![("k".into(), "x".repeat(256))])),
        "invalid-request"
    );
    assert_eq!(
        refusal(with(vec![("k".into(), "\x1b[2J".into())])),
        "invalid-request"
    );
    with(vec![("region".into(), "north".into())]).unwrap();
}

#[test]
fn refusals_are_counted_and_written_down_once_a_minute() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Known);
    // The server writes down what there is when it starts, and then each minute. Behind it comes this job.
    let begun = Instant::now();
    let has_begun = || {
        let stats = rig.ops.store_stats();
        let mut jobs = stats.by_name.iter();
        jobs.any(|job| job.name == "forget_challenges" && job.done > 0)
    };
    while !has_begun() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..7 {
        let mut device = rig.device("pumps", "pump-1", &secret);
        assert_eq!(refusal(device.enroll(&rig)), "unknown-device");
    }
    rig.block_on(rig.ops.flush_refusals()).unwrap();
    let events = rig
        .admin()
        .events("default", &Default::default())
        .unwrap()
        .items;
    let refused: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].detail["problem"], "unknown-device");
    assert_eq!(refused[0].detail["count"], "7");
    assert_eq!(refused[0].detail["source"], "127.0.0.1");
    // Who it was: at which group, by which secret, and under which name.
    assert_eq!(refused[0].group.as_deref(), Some("pumps"));
    let secret = &rig.admin().secrets("default", "pumps").unwrap().items[0];
    assert_eq!(refused[0].detail["secret"], secret.secret_id.to_string());
    assert_eq!(refused[0].detail["secret_label"], secret.label);
    assert_eq!(refused[0].detail["name"], "pump-1");
    let of_group = EventsQuery {
        group: Some("pumps".to_owned()),
        kind: Some("refused".to_owned()),
        ..EventsQuery::default()
    };
    let of_group = rig.admin().events("default", &of_group).unwrap().items;
    assert_eq!(of_group.len(), 1);
    let misspelt = EventsQuery {
        kind: Some("refusd".to_owned()),
        ..EventsQuery::default()
    };
    let told = rig.admin().events("default", &misspelt).unwrap_err();
    assert!(told.to_string().contains("refused"), "{told}");
}
