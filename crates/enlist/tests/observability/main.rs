//! What a server tells those who watch over it: metrics, alert rules and dashboard, traces, log.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod collector;
#[path = "../rig/mod.rs"]
mod rig;
mod scrape;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use collector::{Collector, Span};
use enlist_testkit::{PostgresLab, installed};
use rig::{Rig, free_port};
use scrape::{Scrape, get, names_in, packaged};

/// A server whose metrics are at the port, and to which something has happened.
fn watched() -> (Rig, u16) {
    let port = free_port();
    let rig = Rig::serving(&["--metrics-listen", &format!("127.0.0.1:{port}")]);
    rig.ok("enlist add group lamps --enrollment open > secret.txt");
    rig.ok("enlist provision lamp-1 -g lamps -s $(cat secret.txt) --out one");
    rig.ok("enlist add device -g lamps lamp-2");
    rig.sh("enlist provision lamp-3 -g lamps -s eps_wrong --out three");
    rig.ok("enlist get devices -g lamps");
    (rig, port)
}

#[test]
fn a_database_that_hangs_is_told_while_prometheus_waits() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("hangs", &["fsync=off"]);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let url = cluster.database("hangs");
    let _rig = Rig::serving(&["--database-url", &url, "--metrics-listen", &listen]);
    std::thread::scope(|scope| {
        let lock =
            "BEGIN; LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(20); COMMIT";
        let holder = scope.spawn(|| cluster.sql("hangs", lock));
        let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted";
        rig::eventually("the table is locked", || {
            cluster.sql("hangs", held) != "0\n"
        });
        let scrape = Scrape::of(port);
        assert!(!holder.is_finished());
        assert_eq!(scrape.value("enlist_record_up", ""), Some(0.0));
        assert!(scrape.value("process_cpu_seconds_total", "") > Some(0.0));
    });
}

#[test]
fn a_scrape_counts_what_happened_and_what_there_is() {
    let (_rig, port) = watched();
    let scrape = Scrape::until(port, |scrape| {
        scrape.value("enlist_events_total", "kind=\"device-enrolled\"") == Some(1.0)
    });
    let one = |name: &str, labels: &str| scrape.value(name, labels);
    let enrolled = "operation=\"device_enroll\",outcome=\"ok\"";
    assert_eq!(one("enlist_requests_total", enrolled), Some(1.0));
    let took = "operation=\"device_enroll\"";
    assert!(one("enlist_request_duration_seconds_count", took) >= Some(1.0));
    let active = "tenant=\"default\",state=\"active\"";
    assert_eq!(one("enlist_devices", active), Some(1.0), "{}", scrape.text);
    let created = "tenant=\"default\",state=\"created\"";
    assert_eq!(one("enlist_devices", created), Some(1.0));
    let week = "tenant=\"default\",ends=\"7d\"";
    assert_eq!(one("enlist_device_certificates", week), Some(1.0));
    assert_eq!(
        one("enlist_device_certificates_late", "tenant=\"default\""),
        Some(0.0)
    );
    assert!(one("enlist_tls_handshakes_total", "outcome=\"ok\"") > Some(0.0));
    assert!(one("process_cpu_seconds_total", "") > Some(0.0));
    assert!(one("process_resident_memory_bytes", "") > Some(1e6));
    assert_eq!(one("enlist_record_up", ""), Some(1.0));
    let day = 86_400.0;
    let now = scrape::now();
    let server = one("enlist_server_certificate_expiry_timestamp_seconds", "").unwrap();
    assert!((now + 80.0 * day..now + 100.0 * day).contains(&server));
    for kind in ["root", "service", "issuing"] {
        let end = scrape.values(
            "enlist_ca_expiry_timestamp_seconds",
            &format!("kind=\"{kind}\""),
        );
        assert!(
            end.len() == 1 && end[0] > now + 3000.0 * day,
            "{kind}: {end:?}"
        );
    }
}

#[test]
fn what_a_stranger_sends_makes_no_label_and_the_door_tells_nothing_else() {
    let (rig, port) = watched();
    for path in [
        "/v1/tenants/zzz-stranger/groups",
        "/zzz-stranger",
        "/crl/zzz-stranger.crl",
    ] {
        rig.sh(&format!("curl -sk {}{path}", rig.url));
    }
    let scrape = Scrape::of(port);
    assert!(!scrape.text.contains("zzz"), "{}", scrape.text);
    assert_eq!(
        scrape.value(
            "enlist_requests_total",
            "operation=\"none\",outcome=\"no-such-path\""
        ),
        Some(1.0)
    );
    assert!(get(port, "GET", "/").starts_with("HTTP/1.1 404"));
    assert!(get(port, "POST", "/metrics").starts_with("HTTP/1.1 405"));
    let main = rig.ok(&format!(
        "curl -sk -o out.txt -w '%{{http_code}}' {}/metrics",
        rig.url
    ));
    assert_eq!(main, "404");
}

#[test]
fn promtool_finds_nothing_wrong_with_a_scrape() {
    if !installed("promtool", "prometheus") {
        return;
    }
    let (_rig, port) = watched();
    let scrape = Scrape::of(port);
    let mut lint = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = lint.stdin.take().unwrap();
    stdin.write_all(scrape.text.as_bytes()).unwrap();
    drop(stdin);
    let said = lint.wait_with_output().unwrap();
    assert!(said.status.success(), "{said:?}\n{}", scrape.text);
}

#[test]
fn the_rules_and_the_dashboard_name_nothing_that_a_server_does_not_tell() {
    let (_rig, port) = watched();
    let scrape = Scrape::of(port);
    let told = scrape.names();
    for file in ["prometheus/enlist-alerts.yml", "grafana/enlist.json"] {
        let named = names_in(&packaged(file));
        let missing: BTreeSet<_> = named.difference(&told).collect();
        assert!(
            named.len() > 10 && missing.is_empty(),
            "{file}: {missing:?}"
        );
    }
    // And what the rules look for is among what there can be.
    let rules = packaged("prometheus/enlist-alerts.yml");
    for kind in ["clone-suspected", "audit-chain-broken"] {
        assert!(rules.contains(kind) && enlist_core::is_event_kind(kind));
    }
    let problems = fs::read_to_string(format!("{DOCS}/problems.md")).unwrap();
    for outcome in alternatives(&rules, "outcome=~").filter(|outcome| outcome != "5xx") {
        assert!(problems.contains(&format!("`{outcome}`")), "{outcome}");
    }
    let api = fs::read_to_string(format!("{DOCS}/openapi.json")).unwrap();
    for operation in alternatives(&rules, "operation=~") {
        let (tag, id) = operation.split_once('_').unwrap();
        let is_documented = api.contains(&format!("\"operationId\": \"{id}\""));
        assert!(tag == "est" || is_documented, "{operation}");
    }
}

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// What a text lets a label be: the words between its quotes.
fn alternatives<'a>(text: &'a str, label: &'a str) -> impl Iterator<Item = String> + 'a {
    let quoted = text.split(label).skip(1);
    let words = quoted.filter_map(|rest| rest.split('"').nth(1));
    words.flat_map(|words| words.split('|').map(str::to_owned))
}

#[test]
fn a_real_prometheus_takes_the_rules_and_scrapes_the_server() {
    if !installed("prometheus", "prometheus") {
        return;
    }
    let (rig, port) = watched();
    let watcher = free_port();
    rig.write(
        "enlist-alerts.yml",
        &packaged("prometheus/enlist-alerts.yml"),
    );
    rig.write(
        "prometheus.yml",
        &format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [enlist-alerts.yml]\n\
             scrape_configs:\n- job_name: enlist\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        ),
    );
    let log = fs::File::create(rig.work().join("prometheus.log")).unwrap();
    let mut prometheus = rig
        .command("prometheus")
        .arg("--config.file=prometheus.yml")
        .arg("--storage.tsdb.path=tsdb")
        .arg(format!("--web.listen-address=127.0.0.1:{watcher}"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let ask = |path: &str| {
        rig.sh(&format!("curl -sg 'http://127.0.0.1:{watcher}{path}'"))
            .out
    };
    let until = Instant::now() + Duration::from_secs(40);
    let query = "/api/v1/query?query=enlist_devices{state=%22active%22}";
    let seen = loop {
        let answer = ask(query);
        if answer.contains("\"1\"]") || Instant::now() > until {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(300));
    };
    let rules = ask("/api/v1/rules");
    prometheus.kill().unwrap();
    prometheus.wait().unwrap();
    assert!(
        seen.contains("\"1\"]"),
        "{seen}: {}",
        rig.read("prometheus.log")
    );
    assert!(rules.contains("EnlistCertificatesNotRenewing"), "{rules}");
    assert!(!rules.contains("\"health\":\"err\""), "{rules}");
}

#[test]
fn a_callers_trace_goes_on_into_the_store_and_ends_at_the_collector() {
    let collector = Collector::start(200);
    let rig = Rig::serving(&["--otlp-endpoint", &collector.url(), "--trace-ratio", "0"]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    rig.ok(&format!(
        "curl -sk -H 'traceparent: 00-{trace}-00f067aa0ba902b7-01' -H \"Authorization: Bearer $(cat ../data/admin.token)\" {}/v1/tenants/default/groups",
        rig.url
    ));
    let spans = collector.until(|spans| spans.iter().any(|span| span.name == "groups_list"));
    let of_trace = |span: &&Span| span.trace == trace;
    assert!(
        spans.iter().all(|span| of_trace(&span)),
        "the ratio is 0: {spans:?}"
    );
    let request = spans
        .iter()
        .find(|span| span.name == "groups_list")
        .unwrap();
    assert_eq!(request.parent.as_deref(), Some("00f067aa0ba902b7"));
    assert_eq!(request.kind, 2);
    assert_eq!(request.text("tenant"), Some("default"));
    assert_eq!(request.text("outcome"), Some("ok"));
    let below: Vec<_> = spans
        .iter()
        .filter(|span| span.parent.as_deref() == Some(&request.id))
        .collect();
    assert!(!below.is_empty(), "{spans:?}");
    for span in below {
        assert!(
            span.text("transaction").is_some() && span.has("wait_us"),
            "{span:?}"
        );
        assert!(
            span.started >= request.started && span.ended <= request.ended,
            "{span:?}"
        );
    }
    let text = collector.everything();
    let token = fs::read_to_string(rig.data().join("admin.token")).unwrap();
    assert!(!text.contains(token.trim()), "a secret in a trace");
}

#[test]
fn an_enrollment_is_traced_down_to_its_signature() {
    let collector = Collector::start(200);
    let rig = Rig::serving(&["--otlp-endpoint", &collector.url(), "--trace-ratio", "1"]);
    rig.ok("enlist add group lamps --enrollment open > secret.txt");
    rig.ok("enlist provision lamp-1 -g lamps -s $(cat secret.txt) --out one");
    let spans = collector.until(|spans| spans.iter().any(|span| span.name == "device_enroll"));
    let request = spans
        .iter()
        .find(|span| span.name == "device_enroll")
        .unwrap();
    let within = |name: &str| {
        let found = |span: &&Span| span.trace == request.trace && span.name == name;
        spans.iter().find(found)
    };
    assert!(within("signature").is_some(), "{spans:?}");
    let secret = rig.read("secret.txt");
    assert!(
        !collector.everything().contains(secret.trim()),
        "a secret in a trace"
    );
}

#[test]
fn a_collector_that_is_away_or_says_no_keeps_nobody_waiting() {
    let nobody = free_port();
    let metrics = free_port();
    let rig = Rig::serving(&[
        "--otlp-endpoint",
        &format!("http://127.0.0.1:{nobody}/v1/traces"),
        "--trace-ratio",
        "1",
        "--metrics-listen",
        &format!("127.0.0.1:{metrics}"),
    ]);
    let started = Instant::now();
    rig.ok("enlist get groups");
    assert!(started.elapsed() < Duration::from_secs(5));
    Scrape::until(metrics, |scrape| {
        scrape.value("enlist_trace_spans_total", "outcome=\"dropped\"") > Some(0.0)
    });
    let collector = Collector::start(503);
    let metrics = free_port();
    let rig = Rig::serving(&[
        "--otlp-endpoint",
        &collector.url(),
        "--trace-ratio",
        "1",
        "--metrics-listen",
        &format!("127.0.0.1:{metrics}"),
    ]);
    rig.ok("enlist get groups");
    let scrape = Scrape::until(metrics, |scrape| {
        scrape.value("enlist_trace_spans_total", "outcome=\"dropped\"") > Some(0.0)
    });
    assert_eq!(
        scrape.value("enlist_trace_spans_total", "outcome=\"sent\""),
        Some(0.0)
    );
}

#[test]
fn a_request_in_the_json_log_says_what_it_was_and_what_it_came_to() {
    let rig = Rig::serving(&["--log-format", "json"]);
    let quiet = rig.log();
    assert!(!quiet.contains("enlist_server::requests"), "{quiet}");
    let rig = Rig::serving_with(
        &["--log-format", "json"],
        &[("ENLIST_LOG", "enlist_server=debug,info")],
    );
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    rig.ok(&format!(
        "curl -sk -H 'traceparent: 00-{trace}-00f067aa0ba902b7-01' {}/v1/whoami",
        rig.url
    ));
    let log = rig.log();
    let line = log
        .lines()
        .find(|line| line.contains(trace))
        .unwrap_or_else(|| panic!("{log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let fields = &line["fields"];
    assert_eq!(fields["operation"], "access_whoami", "{line}");
    assert_eq!(fields["outcome"], "unauthenticated", "{line}");
    assert_eq!(fields["status"], 401, "{line}");
    assert!(fields["duration_us"].as_u64().is_some(), "{line}");
    // The words of a first start are for people.
    let for_people =
        |line: &&str| line.starts_with("This is a new") || line.starts_with("  enlist");
    for line in log.lines().filter(|line| !for_people(line)) {
        let json = serde_json::from_str::<serde_json::Value>(line);
        assert!(json.is_ok_and(|json| json["level"].is_string()), "{line}");
    }
}
