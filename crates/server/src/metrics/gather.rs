//! The page, put together.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use enlist_core::explain;
use enlist_ops::Ops;
use enlist_pki::Certificate;
use tokio::time::timeout;
use tracing::warn;

use super::page::Page;
use super::{Seen, process, record, transactions};

/// So long what is on record is waited for: Prometheus waits ten seconds for all of it.
const PATIENCE: Duration = Duration::from_secs(5);

/// All that there is to tell. What is on record is as of some seconds ago, and left out where the store
/// does not tell it: `enlist_record_up` says so.
pub(super) async fn gather(ops: &Ops, seen: &Seen) -> String {
    let mut page = Page::default();
    page.metric("gauge", "enlist_build_info", "The version that runs.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.sample("enlist_build_info", &version, 1.0);
    requests(&mut page, seen);
    connections(&mut page, seen);
    transactions::write(&mut page, &ops.store_stats());
    events(&mut page, ops);
    match timeout(PATIENCE, ops.census()).await {
        Ok(Ok(census)) => {
            up(&mut page, true);
            record::write(&mut page, &census, ops.now());
        }
        Ok(Err(error)) => {
            warn!(error = %explain(&error), "what is on record could not be looked up for metrics");
            up(&mut page, false);
        }
        Err(_) => up(&mut page, false),
    }
    if let Some(age) = ops.revocations_known_for() {
        page.gauge(
            "enlist_revocations_age_seconds",
            "How long ago this server last knew all that was revoked: revocation lists are no newer.",
            age.as_secs_f64(),
        );
    }
    page.gauge(
        "enlist_clock_ahead_seconds",
        "How far this server's clock was ahead of the database's within the last minute; below 0 where it was behind.",
        ops.clock_was_ahead_ms() as f64 / 1000.0,
    );
    let presented = seen.identity.certificate();
    if let Some(presented) = presented.and_then(|der| Certificate::from_der(&der).ok()) {
        page.gauge(
            "enlist_server_certificate_expiry_timestamp_seconds",
            "When the certificate that this server presents ends.",
            presented.not_after() as f64,
        );
    }
    if let Some(traces) = &seen.traces {
        let (sent, dropped) = traces.counted();
        let name = "enlist_trace_spans_total";
        page.metric(
            "counter",
            name,
            "Spans of traces that were sent, or dropped.",
        );
        page.sample(name, &[("outcome", "sent")], sent as f64);
        page.sample(name, &[("outcome", "dropped")], dropped as f64);
    }
    process::write(&mut page, seen.data.as_deref());
    page.into_text()
}

fn up(page: &mut Page, is_up: bool) {
    page.gauge(
        "enlist_record_up",
        "Whether the store told what is on record.",
        f64::from(u8::from(is_up)),
    );
}

fn requests(page: &mut Page, seen: &Seen) {
    let asked = seen.requests.asked();
    let name = "enlist_requests_total";
    page.metric(
        "counter",
        name,
        "Requests by operation and outcome: ok, the slug of the problem, or the class of the status.",
    );
    for one in &asked {
        for (outcome, count) in &one.outcomes {
            let labels = [("operation", one.operation), ("outcome", outcome)];
            page.sample(name, &labels, *count as f64);
        }
    }
    let name = "enlist_request_duration_seconds";
    page.metric(
        "histogram",
        name,
        "How long requests took, up to the head of the answer.",
    );
    for one in &asked {
        page.durations(name, &[("operation", one.operation)], &one.took);
    }
}

fn connections(page: &mut Page, seen: &Seen) {
    page.gauge(
        "enlist_connections_open",
        "Connections that are open at the main door.",
        seen.connections.load(Relaxed) as f64,
    );
    let name = "enlist_tls_handshakes_total";
    page.metric("counter", name, "TLS handshakes by how they ended.");
    for (outcome, count) in [
        ("ok", &seen.handshakes),
        ("failed", &seen.handshakes_failed),
        ("slow", &seen.handshakes_slow),
    ] {
        page.sample(name, &[("outcome", outcome)], count.load(Relaxed) as f64);
    }
}

fn events(page: &mut Page, ops: &Ops) {
    let name = "enlist_events_total";
    page.metric(
        "counter",
        name,
        "Events on record by kind. Of several servers one counts each: the sum over all is what happened.",
    );
    for (kind, count) in ops.events_counted() {
        page.sample(name, &[("kind", kind)], count as f64);
    }
}
