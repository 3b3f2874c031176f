//! Takes down the spans of traced requests.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use enlist_core::{Clock, Timestamp};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::ids::Ids;
use super::{TARGET, Tally};

/// The span that a trace begins with here.
const REQUEST: &str = "request";

/// A layer that takes down the spans of traced requests, and nothing else.
pub struct TraceLayer {
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    queue: mpsc::Sender<Finished>,
    tally: Arc<Tally>,
}

/// What a span was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attribute {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// A span that has ended.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub(super) trace: String,
    pub(super) id: u64,
    /// Sixteen hexadecimal digits.
    pub(super) parent: Option<String>,
    pub(super) name: &'static str,
    /// Since the epoch.
    pub(super) started: Duration,
    pub(super) ended: Duration,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
}

/// A span that goes on.
struct Open {
    trace: String,
    id: u64,
    parent: Option<String>,
    /// A moment by both clocks: that of the trace's begin here, so that its spans fit each other.
    anchor: (Timestamp, Instant),
    started: Instant,
    attributes: Vec<(&'static str, Attribute)>,
}

impl TraceLayer {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
        queue: mpsc::Sender<Finished>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            clock,
            ids,
            queue,
            tally,
        }
    }

    /// This layer, with a filter by which everything else costs nothing more than without it.
    pub fn filtered<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        Layer::<S>::with_filter(self, OfTraced)
    }
}

/// Lets through requests that are traced, and what goes on within them.
struct OfTraced;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for OfTraced {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        is_ours(metadata) && (metadata.name() == REQUEST || context.lookup_current().is_some())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        let started = Instant::now();
        let above = span.parent();
        let above = above.as_ref().map(|above| above.extensions());
        let above = above.as_ref().and_then(|above| above.get::<Open>());
        let open = match (above, seen.trace) {
            (Some(above), _) => Open {
                trace: above.trace.clone(),
                id: self.ids.next(),
                parent: Some(format!("{:016x}", above.id)),
                anchor: above.anchor,
                started,
                attributes: seen.attributes,
            },
            (None, Some(trace)) => Open {
                trace,
                id: self.ids.next(),
                parent: seen.parent,
                anchor: (self.clock.now(), started),
                started,
                attributes: seen.attributes,
            },
            // Of no trace.
            (None, None) => return,
        };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(open) = extensions.get_mut::<Open>() {
            let mut seen = Seen::default();
            record.record(&mut seen);
            open.attributes.append(&mut seen.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let (time, anchor) = open.anchor;
        let epoch = time.since(Timestamp::from_millis(0));
        let finished = Finished {
            trace: open.trace,
            id: open.id,
            parent: open.parent,
            name: span.name(),
            started: epoch + open.started.duration_since(anchor),
            ended: epoch + anchor.elapsed(),
            attributes: open.attributes,
        };
        if self.queue.try_send(finished).is_err() {
            self.tally.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// What the fields of a span hold.
#[derive(Default)]
struct Seen {
    trace: Option<String>,
    parent: Option<String>,
    attributes: Vec<(&'static str, Attribute)>,
}

impl Seen {
    fn keep(&mut self, field: &Field, value: Attribute) {
        self.attributes.push((field.name(), value));
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "trace_id" => self.trace = Some(value.to_owned()),
            "parent_id" => self.parent = Some(value.to_owned()),
            _ => self.keep(field, Attribute::Text(value.to_owned())),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, Attribute::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(
            field,
            Attribute::Number(i64::try_from(value).unwrap_or(i64::MAX)),
        );
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, Attribute::Flag(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.keep(field, Attribute::Text(format!("{value:?}")));
    }
}
