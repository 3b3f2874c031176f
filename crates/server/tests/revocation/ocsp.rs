//! OCSP.

use std::time::{Duration, Instant};

use enlist_testkit::Rig;
use enlist_wire::{Enrollment, NewTenant};

use crate::bench::{Files, REQUEST, RESPONSE, act, get, openssl, send};

/// The request that openssl makes for a device's certificate, DER.
fn request(files: &Files, more: &[&str]) -> Vec<u8> {
    let path = |name| files.path(name).to_string_lossy().into_owned();
    let (issuer, cert, out) = (path("issuer.pem"), path("cert.pem"), path("request.der"));
    let mut arguments = vec!["ocsp", "-issuer", &issuer, "-cert", &cert, "-reqout", &out];
    arguments.extend(more);
    let (said, content) = openssl(&arguments, b"");
    assert!(content, "{said}");
    std::fs::read(out).unwrap()
}

fn text(answer: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("answer.der");
    std::fs::write(&path, answer).unwrap();
    let path = path.to_string_lossy().into_owned();
    openssl(&["ocsp", "-respin", &path, "-resp_text", "-noverify"], b"").0
}

fn base64(der: &[u8]) -> String {
    let (text, _) = openssl(&["base64", "-A"], der);
    text.trim().to_owned()
}

#[test]
fn openssl_is_told_how_a_certificate_stands() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    for more in [
        &[][..],
        &["-no_nonce"],
        &["-sha256"],
        &["-sha512", "-no_nonce"],
    ] {
        let said = files.ask(more);
        assert!(said.contains("Response verify OK"), "{more:?}: {said}");
        assert!(said.contains("cert.pem: good"), "{more:?}: {said}");
        assert!(!said.contains("WARNING"), "the nonce comes back: {said}");
    }
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    for more in [&[][..], &["-no_nonce"]] {
        let said = files.ask(more);
        assert!(said.contains("Response verify OK"), "{said}");
        assert!(said.contains("cert.pem: revoked"), "{said}");
        assert!(said.contains("Reason: certificateHold"), "{said}");
    }
    rig.admin()
        .resume("default", "pumps", "pump-1", &act())
        .unwrap();
    assert!(files.ask(&["-no_nonce"]).contains("cert.pem: good"));
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    let said = files.ask(&["-no_nonce"]);
    assert!(said.contains("cert.pem: revoked"), "{said}");
    assert!(said.contains("Reason: cessationOfOperation"), "{said}");
}

#[test]
fn a_certificate_that_was_never_issued_is_unknown() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let issuer = files.path("issuer.pem").to_string_lossy().into_owned();
    let chain = files.path("chain.pem").to_string_lossy().into_owned();
    for serial in ["0x1234", "-5", "0x00112233445566778899aabbccddeeff"] {
        let (said, _) = openssl(
            &[
                "ocsp", "-issuer", &issuer, "-serial", serial, "-url", &files.url, "-CAfile",
                &chain,
            ],
            b"",
        );
        assert!(
            said.contains(": unknown") || said.contains("malformed"),
            "{serial}: {said}"
        );
    }
}

#[test]
fn a_revoked_certificate_stays_revoked_after_it_has_expired() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let asked = request(&files, &["-no_nonce"]);
    let status = || text(&send("POST", &files.url, &[("content-type", REQUEST)], &asked).body);
    assert!(status().contains("Cert Status: good"));
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &act())
        .unwrap();
    assert!(status().contains("Cert Status: revoked"));
    rig.clock.advance(Duration::from_secs(171 * 3600));
    rig.block_on(rig.ops.look_after_revocations()).unwrap();
    assert!(status().contains("Cert Status: revoked"));
}

#[test]
fn a_request_in_the_path_is_answered_and_may_be_kept_for_a_moment() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let plain = base64(&request(&files, &["-no_nonce"]));
    let escaped = plain
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    for path in [&plain, &escaped] {
        let answer = get(&format!("{}/{path}", files.url));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(RESPONSE));
        let kept = answer.header("cache-control").unwrap();
        assert!(kept.contains("max-age=10"), "{kept}");
        assert!(text(&answer.body).contains("Cert Status: good"));
    }
    let nonce = base64(&request(&files, &[])).replace('/', "%2F");
    let answer = get(&format!("{}/{nonce}", files.url));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn the_same_question_gets_the_same_answer_until_something_changes() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let asked = request(&files, &["-no_nonce"]);
    let ask = || send("POST", &files.url, &[("content-type", REQUEST)], &asked).body;
    let first = ask();
    assert_eq!(ask(), first);
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    let held = ask();
    assert_ne!(held, first);
    rig.admin()
        .resume("default", "pumps", "pump-1", &act())
        .unwrap();
    assert!(text(&ask()).contains("Cert Status: good"));
    rig.clock.advance(Duration::from_secs(301));
    assert_ne!(ask(), first, "a fresh one in time");
}

#[test]
fn the_responders_certificate_is_renewed_by_itself() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let asked = request(&files, &[]);
    let responder = || {
        let answer = send("POST", &files.url, &[("content-type", REQUEST)], &asked);
        let told = text(&answer.body);
        let start = told.find("-----BEGIN CERTIFICATE").unwrap();
        told[start..].to_owned()
    };
    let first = responder();
    assert_eq!(responder(), first);
    let (said, _) = openssl(&["x509", "-noout", "-text"], first.as_bytes());
    assert!(
        said.contains("OCSP Signing") && said.contains("No Check"),
        "{said}"
    );
    rig.clock.advance(Duration::from_secs(13 * 3600));
    // The old one goes on until the new one is there.
    let began = Instant::now();
    while responder() == first {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn what_is_no_request_is_malformed_and_what_is_about_others_unauthorized() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let asked = request(&files, &[]);
    let post = |body: &[u8]| send("POST", &files.url, &[("content-type", REQUEST)], body);
    for garbage in [&b""[..], b"hello", &[0x30, 0x80], &asked[..asked.len() - 1]] {
        let answer = post(garbage);
        assert_eq!(answer.status, 200);
        assert!(
            text(&answer.body).contains("malformedrequest"),
            "{garbage:?}"
        );
    }
    let not_base64 = get(&format!("{}/%00%ff!", files.url));
    assert!(text(&not_base64.body).contains("malformedrequest"));
    assert_eq!(post(&vec![0; 5000]).status, 413);
    let untyped = send("POST", &files.url, &[], &asked);
    assert_eq!(untyped.status, 415);

    let foreign = Rig::new();
    let elsewhere = foreign.group("pumps", Enrollment::Open);
    let stranger = foreign.enrolled_device("pumps", "pump-1", &elsewhere);
    let theirs = request(&Files::of(&foreign, &stranger), &[]);
    assert!(text(&post(&theirs).body).contains("unauthorized"));
}

#[test]
fn tenants_are_told_apart() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let ours = rig.enrolled_device("pumps", "pump-1", &secret);
    let tenant = NewTenant {
        name: "acme".to_owned(),
        request_ca: false,
    };
    rig.admin().create_tenant(&tenant).unwrap();
    let group = enlist_wire::NewGroup {
        enrollment: Enrollment::Open,
        ..enlist_wire::NewGroup::named("pumps")
    };
    let made = rig.admin().create_group("acme", &group).unwrap();
    let secret = made.secret.unwrap().secret;
    let mut theirs = rig.device("pumps", "pump-1", secret.expose());
    theirs.tenant = "acme".to_owned();
    theirs.enroll(&rig).unwrap();
    rig.admin()
        .suspend("acme", "pumps", "pump-1", &act())
        .unwrap();
    let ask = |device| Files::of(&rig, device).ask(&["-no_nonce"]);
    assert!(ask(&theirs).contains("cert.pem: revoked"));
    assert!(ask(&ours).contains("cert.pem: good"));

    // One answer has one signer: certificates of two CAs don't go together.
    let (files, others) = (Files::of(&rig, &ours), Files::of(&rig, &theirs));
    let path = |files: &Files, name| files.path(name).to_string_lossy().into_owned();
    let said = files.ask(&[
        "-issuer",
        &path(&others, "issuer.pem"),
        "-cert",
        &path(&others, "cert.pem"),
    ]);
    assert!(said.contains("unauthorized"), "{said}");
}

#[test]
fn a_flood_of_garbage_keeps_nobody_from_an_answer() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let files = Files::of(&rig, &device);
    let asked = request(&files, &[]);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (url, asked) = (&files.url, &asked);
            scope.spawn(move || {
                for round in 0..100_u8 {
                    let mut garbage = asked.clone();
                    let at = usize::from(round) % garbage.len();
                    garbage[at] ^= thread | 1;
                    let answer = send("POST", url, &[("content-type", REQUEST)], &garbage);
                    assert!(matches!(answer.status, 200 | 413), "{answer:?}");
                }
            });
        }
        for _ in 0..5 {
            let said = files.ask(&[]);
            assert!(said.contains("cert.pem: good"), "{said}");
        }
    });
    assert!(began.elapsed() < Duration::from_secs(60));
}
