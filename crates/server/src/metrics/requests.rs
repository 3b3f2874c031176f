//! Requests, counted and timed by operation.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use enlist_core::{Durations, DurationsCounted};
use tracing::{Instrument, Level, debug, enabled, warn};

use super::Seen;
use super::names::NAMES;
use super::refused::Slug;
use crate::traces::{self, Caller};

/// What was asked of this server, by operation.
pub(super) struct Requests(Vec<OfOperation>);

#[derive(Default)]
struct OfOperation {
    /// Those that went well; the usual case needs no lock.
    ok: AtomicU64,
    /// The others, by what they came to.
    other: Mutex<BTreeMap<String, u64>>,
    took: Durations,
}

/// What was asked of one operation.
pub(super) struct Asked {
    pub(super) operation: &'static str,
    /// By what they came to.
    pub(super) outcomes: Vec<(String, u64)>,
    pub(super) took: DurationsCounted,
}

impl Requests {
    pub(super) fn new() -> Self {
        let all = std::iter::repeat_with(OfOperation::default);
        Self(all.take(NAMES.len()).collect())
    }

    fn count(&self, place: usize, outcome: Option<&str>, took: Duration) {
        let Some(of) = self.0.get(place) else {
            return;
        };
        of.took.count(took);
        match outcome {
            None => {
                of.ok.fetch_add(1, Relaxed);
            }
            Some(outcome) => {
                let mut other = of.other.lock().unwrap_or_else(PoisonError::into_inner);
                match other.get_mut(outcome) {
                    Some(count) => *count += 1,
                    None => {
                        other.insert(outcome.to_owned(), 1);
                    }
                }
            }
        }
    }

    /// What was asked so far, of operations that were asked for anything.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let all = self.0.iter().enumerate().map(|(place, of)| {
            let ok = of.ok.load(Relaxed);
            let other = of.other.lock().unwrap_or_else(PoisonError::into_inner);
            let others = other
                .iter()
                .map(|(outcome, count)| (outcome.clone(), *count));
            Asked {
                operation: NAMES.name(place),
                outcomes: std::iter::once(("ok".to_owned(), ok))
                    .chain(others)
                    .collect(),
                took: of.took.counted(),
            }
        });
        all.filter(|asked| asked.took.count > 0).collect()
    }
}

/// Counts a request and what it came to, and traces it where it is to be traced.
pub(crate) async fn observe(
    State(seen): State<Arc<Seen>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let place = NAMES.place(&request);
    let operation = NAMES.name(place);
    let is_logged = enabled!(target: "enlist_server::requests", Level::DEBUG);
    let caller = if is_logged || seen.traces.is_some() {
        Caller::of(request.headers())
    } else {
        None
    };
    let span = match &seen.traces {
        Some(traces) => traces.begin(operation, caller, &request),
        None => traces::none(),
    };
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    let status = response.status();
    let slug = response.extensions_mut().remove::<Slug>();
    let outcome = match &slug {
        Some(Slug(slug)) => Some(slug.as_str()),
        None => class(status),
    };
    seen.requests.count(place, outcome, took);
    let outcome = outcome.unwrap_or("ok");
    span.record("outcome", outcome);
    span.record("status", status.as_u16());
    if is_logged || status.is_server_error() {
        let duration_us = took.as_micros() as u64;
        let (status, trace_id) = (status.as_u16(), caller.map(|caller| caller.trace_id()));
        // A load balancer that is told that the server stops is told what it asked for.
        if status >= 500 && outcome != "stopping" {
            warn!(target: "enlist_server::requests", operation, outcome, status, duration_us, trace_id, "a request ended with an error");
        } else {
            debug!(target: "enlist_server::requests", operation, outcome, status, duration_us, trace_id, "request");
        }
    }
    response
}

/// What a response comes to that is no problem of ours; `None` where it went well.
fn class(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        400..=499 => Some("4xx"),
        500.. => Some("5xx"),
        _ => None,
    }
}
