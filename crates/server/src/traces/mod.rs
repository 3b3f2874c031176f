//! Traces of requests, for whoever wants to see where the time goes: OTLP over HTTP, as JSON.
//!
//! Whether a request is traced is decided once, when it comes; what is not traced makes no spans. Spans
//! have the target `enlist_trace` and are made with `tracing`; the layer here takes them down, and what it
//! has taken down waits in a queue that is bounded: where nobody takes it away, it is dropped.

mod caller;
mod export;
mod ids;
mod json;
mod layer;
mod sampler;
mod send;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use enlist_core::{Clock, Rng};
use tokio::sync::mpsc;
use tracing::Span;
use tracing::field::Empty;

pub(crate) use caller::Caller;
pub(crate) use export::Exporter;
pub use layer::TraceLayer;
pub use send::{Endpoint, InvalidEndpoint};

use ids::Ids;
use layer::Finished;
use sampler::Sampler;

/// The target of all spans that are traced.
const TARGET: &str = "enlist_trace";
/// Spans that wait to be sent at most.
const MOST_WAITING: usize = 8192;

/// Where traces go, and of how many requests.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// The collector.
    pub endpoint: Endpoint,
    /// Of requests whose caller does not trace them, the share that is traced: from 0 to 1.
    pub ratio: f64,
}

/// Traces that are taken down. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

struct Inner {
    settings: TraceSettings,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    sampler: Sampler,
    queue: mpsc::Sender<Finished>,
    /// Until somebody begins to send them.
    waiting: Mutex<Option<mpsc::Receiver<Finished>>>,
    tally: Arc<Tally>,
}

/// What became of spans.
#[derive(Debug, Default)]
struct Tally {
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traces").field(&self.0.settings).finish()
    }
}

impl Traces {
    /// Makes ready for it. Nothing is taken down before [`Traces::layer`] is among the subscriber's layers,
    /// and nothing sent before a server runs with it.
    pub fn new(settings: TraceSettings, clock: Arc<dyn Clock>, rng: &dyn Rng) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        let ratio = settings.ratio;
        Self(Arc::new(Inner {
            settings,
            clock,
            ids: Arc::new(Ids::new(rng)),
            sampler: Sampler::new(ratio),
            queue,
            waiting: Mutex::new(Some(waiting)),
            tally: Arc::default(),
        }))
    }

    /// What takes spans down.
    pub fn layer(&self) -> TraceLayer {
        let Inner {
            clock,
            ids,
            queue,
            tally,
            ..
        } = &*self.0;
        TraceLayer::new(clock.clone(), ids.clone(), queue.clone(), tally.clone())
    }

    /// The span of a request that has come, where it is to be traced; otherwise none.
    pub(crate) fn begin(&self, operation: &str, caller: Option<Caller>, request: &Request) -> Span {
        let ids = &self.0.ids;
        let draw = || ids.next();
        if !self
            .0
            .sampler
            .takes(caller.map(|caller| caller.is_traced()), draw)
        {
            return none();
        }
        let trace_id = match caller {
            Some(caller) => caller.trace_id(),
            None => ids.trace_id(),
        };
        let parent_id = caller.map(|caller| caller.parent_id());
        let path = request.extensions().get::<MatchedPath>();
        let place = path.map(|path| (path.as_str(), request.uri().path()));
        let (tenant, group) = place.map_or((None, None), |(pattern, path)| {
            (
                part(pattern, path, "{tenant}"),
                part(pattern, path, "{group}"),
            )
        });
        tracing::trace_span!(
            target: "enlist_trace",
            "request",
            operation,
            trace_id,
            parent_id,
            tenant,
            group,
            outcome = Empty,
            status = Empty,
        )
    }

    /// How many spans were sent, and how many dropped.
    pub(crate) fn counted(&self) -> (u64, u64) {
        let tally = &self.0.tally;
        (tally.sent.load(Relaxed), tally.dropped.load(Relaxed))
    }

    /// Begins to send what is taken down; `None` where somebody does already.
    pub(crate) fn exporter(&self) -> Option<Exporter> {
        let waiting = self.0.waiting.lock();
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner).take()?;
        let Inner {
            settings,
            clock,
            ids,
            tally,
            ..
        } = &*self.0;
        let instance = ids.trace_id();
        Some(Exporter::start(
            settings.endpoint.clone(),
            clock.clone(),
            &instance,
            waiting,
            tally.clone(),
        ))
    }
}

/// The span of what is not traced.
pub(crate) fn none() -> Span {
    Span::none()
}

/// What a path has where its pattern has `name`, where that is no longer than a name may be.
fn part<'a>(pattern: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = pattern.split('/').zip(path.split('/'));
    let found = parts.find(|(pattern, _)| *pattern == name);
    found.map(|(_, part)| part).filter(|part| part.len() <= 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_and_group_are_read_off_the_path() {
        let pattern = "/v1/tenants/{tenant}/groups/{group}/devices";
        let path = "/v1/tenants/acme/groups/line-1/devices";
        assert_eq!(part(pattern, path, "{tenant}"), Some("acme"));
        assert_eq!(part(pattern, path, "{group}"), Some("line-1"));
        assert_eq!(part(pattern, path, "{device}"), None);
        let long = format!("/v1/tenants/{}", "a".repeat(64));
        assert_eq!(part(pattern, &long, "{tenant}"), None);
    }
}
