//! The client against a TLS server that says what it is told to.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod server;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use enlist_wire::{Client, ClientError, DevicesQuery, EnrollReply, EnrollRequest, NewTenant, Uuid};
use rustls::{ClientConfig, RootCertStore};
use server::{Server, Then, certify, ok, reply, root, server_config};

const PAGE: &str = r#"{"items":[],"some_later_field":1}"#;

#[test]
fn calls_share_a_connection_and_present_the_token() {
    let server = Server::saying(&ok(PAGE), Then::KeepOpen);
    let client = server.client().with_token("eat_abc".into());
    for _ in 0..3 {
        assert!(client.tenants().unwrap().items.is_empty());
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[0].starts_with("GET /v1/tenants HTTP/1.1\r\n"));
    assert!(
        requests[0]
            .to_lowercase()
            .contains("authorization: bearer eat_abc")
    );
    assert!(!format!("{client:?}").contains("eat_abc"));
}

#[test]
fn exchanges_on_an_open_connection_do_not_wait_for_each_other() {
    let server = Server::saying(&ok(PAGE), Then::KeepOpen);
    let client = server.client();
    client.tenants().unwrap();
    let quickest = (0..20)
        .map(|_| {
            let start = Instant::now();
            let tenant = NewTenant::named("a");
            client.create_tenant(&tenant).unwrap_err();
            start.elapsed()
        })
        .min()
        .unwrap();
    // With Nagle's algorithm and delayed acknowledgements each of them takes 40 ms.
    assert!(quickest < Duration::from_millis(30), "{quickest:?}");
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let server = Server::saying(&ok(PAGE), Then::Close);
    let client = server.client();
    for _ in 0..3 {
        client.tenants().unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 3);
}

#[test]
fn a_problem_is_told_with_its_wait() {
    let body =
        r#"{"type":"urn:enlist:problem:busy","title":"Busy","status":503,"detail":"Try again."}"#;
    let kind = "application/problem+json; charset=utf-8";
    let reply = reply("503 Service Unavailable", kind, "Retry-After: 7\r\n", body);
    let server = Server::saying(&reply, Then::KeepOpen);
    let error = server.client().tenants().unwrap_err();
    assert_eq!(error.problem().unwrap().slug(), "busy");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.to_string(), "Try again.");
}

#[test]
fn what_does_not_speak_enlist_is_told_apart() {
    let page = reply("502 Bad Gateway", "text/html", "", "<h1>Bad Gateway</h1>");
    let error = Server::saying(&page, Then::KeepOpen).client().tenants();
    assert!(matches!(
        error,
        Err(ClientError::Foreign { status: 502, .. })
    ));

    let elsewhere = reply(
        "302 Found",
        "text/html",
        "Location: https://evil.test/\r\n",
        "",
    );
    let error = Server::saying(&elsewhere, Then::KeepOpen)
        .client()
        .tenants();
    assert!(matches!(
        error,
        Err(ClientError::Foreign { status: 302, .. })
    ));

    let error = Server::saying(&ok("<html>"), Then::KeepOpen)
        .client()
        .tenants();
    assert!(matches!(
        error,
        Err(ClientError::Garbage { status: 200, .. })
    ));

    let error = Server::saying("garbage\r\n\r\n", Then::Close)
        .client()
        .tenants();
    assert!(
        matches!(error, Err(ClientError::Unreachable(_))),
        "{error:?}"
    );
}

#[test]
fn a_reply_without_end_is_not_read_to_its_end() {
    let device = format!(
        "{}{}",
        ok("").replace("Length: 0", "Length: 70000"),
        " ".repeat(70_000)
    );
    let server = Server::saying(&device, Then::KeepOpen);
    let error = server.client().device_self().unwrap_err();
    assert!(matches!(error, ClientError::TooLarge(_)), "{error:?}");

    // The management API may say more.
    let error = server.client().tenants().unwrap_err();
    assert!(matches!(error, ClientError::Garbage { .. }), "{error:?}");

    let endless = format!(
        "{}{}",
        ok("").replace("Length: 0", "Length: 99999999"),
        " ".repeat(1 << 21)
    );
    let error = Server::saying(&endless, Then::KeepOpen).client().tenants();
    assert!(matches!(error, Err(ClientError::TooLarge(_))), "{error:?}");
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("localhost:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::new(&url, Arc::new(config), Duration::from_millis(200)).unwrap();
    let start = Instant::now();
    let error = client.tenants().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_server_that_is_not_trusted_hears_nothing() {
    let server = Server::saying(&ok(PAGE), Then::KeepOpen);
    let (other, _) = root();
    let stranger = Server {
        url: server.url.clone(),
        requests: Arc::default(),
        connections: Arc::default(),
        root: other,
    };
    let error = stranger.client().with_token("eat_abc".into()).tenants();
    assert!(matches!(error, Err(ClientError::Tls(_))), "{error:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn an_expired_client_certificate_is_told_apart() {
    let (root, issuer) = root();
    let config = server_config(&issuer, Some(root.clone()));
    let server = Server::start(root, config, ok(PAGE), Then::KeepOpen);
    let with = |(certificate, key)| {
        server.client_with(|builder| {
            builder
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        })
    };
    with(certify(&issuer, 99)).tenants().unwrap();
    let error = with(certify(&issuer, 1)).tenants().unwrap_err();
    assert!(error.certificate_refused_as_expired(), "{error:?}");
}

#[test]
fn only_https_is_spoken() {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let config = Arc::new(config);
    for url in [
        "http://a.test",
        "a.test",
        "",
        "https://",
        "https://u:p@a.test",
        "ftp://a.test",
    ] {
        let client = Client::new(url, config.clone(), Duration::from_secs(1));
        assert!(matches!(client, Err(ClientError::BadUrl(_))), "{url}");
    }
    for url in [
        "https://a.test",
        "https://a.test:1/",
        "https://[::1]:8443/enlist/",
    ] {
        Client::new(url, config.clone(), Duration::from_secs(1)).unwrap();
    }
}

#[test]
fn a_device_that_has_to_wait_is_told_so() {
    let body = r#"{"device_id":"0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10","name":"press-1","code":"K7P-3QF","retry_after_s":15}"#;
    let server = Server::saying(
        &reply("202 Accepted", "application/json", "", body),
        Then::KeepOpen,
    );
    let request = EnrollRequest {
        tenant: "default".into(),
        group: "default".into(),
        secret: Some("eps_secret".to_owned().into()),
        name: Some("press-1".into()),
        hardware: None,
        attestation: None,
        csr: vec![1, 2, 3].into(),
        device_token: "edt_secret".to_owned().into(),
        certificate_ttl_h: None,
    };
    let EnrollReply::Pending(pending) = server.client().enroll(&request).unwrap() else {
        panic!("status 202 means pending");
    };
    assert_eq!(pending.code.as_deref(), Some("K7P-3QF"));
    assert_eq!(pending.retry_after_s, 15);
    assert!(server.requests()[0].contains(r#""device_token":"edt_secret""#));
    assert!(!format!("{request:?}").contains("secret\""), "{request:?}");
}

#[test]
fn paths_and_queries_are_as_the_server_expects_them() {
    let server = Server::saying(&ok(PAGE), Then::KeepOpen);
    let client = server.client();
    let query = DevicesQuery {
        after: Some("x y".into()),
        limit: Some(5),
        state: Some(enlist_wire::DeviceState::Active),
    };
    client.devices("default", "a/b", &query).unwrap();
    client
        .delete_secret("default", "presses", Uuid::from_bytes([0; 16]))
        .unwrap();
    let lines: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|request| request.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(
        lines,
        [
            "GET /v1/tenants/default/groups/a%2Fb/devices?after=x%20y&limit=5&state=active HTTP/1.1",
            "DELETE /v1/tenants/default/groups/presses/secrets/00000000-0000-0000-0000-000000000000 HTTP/1.1",
        ]
    );
}
