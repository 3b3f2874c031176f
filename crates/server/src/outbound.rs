//! Calls to others, as operations want them made.

use std::sync::Arc;

use enlist_core::{Clock, explain};
use enlist_ops::{Call, CallFor, Calling, Outbound, OutboundError, OutboundReply, Target};
use enlist_outbound::{CallError, Client, Request};
use tracing::field::Empty;
use tracing::{Instrument, Span, trace_span};

/// What calls webhooks and hooks: HTTPS, verified by `clock`, and bounded in all ways.
pub fn outbound(clock: Arc<dyn Clock>) -> Arc<dyn Outbound> {
    Arc::new(Https {
        hooks: Client::new(clock.clone()),
        webhooks: Client::new(clock),
    })
}

/// Devices wait for hooks: a client of their own keeps slow webhooks out of their way.
struct Https {
    hooks: Client,
    webhooks: Client,
}

impl Outbound for Https {
    fn check(&self, target: &Target) -> Result<(), OutboundError> {
        let anchors = target.anchors_pem.as_deref();
        self.hooks.check(&target.url, anchors).map_err(error)
    }

    fn call(&self, call: Call) -> Calling<'_> {
        let (client, of) = match call.of {
            CallFor::Hook => (&self.hooks, "hook"),
            CallFor::Webhook => (&self.webhooks, "webhook"),
        };
        let request = Request {
            url: call.target.url,
            anchors_pem: call.target.anchors_pem,
            headers: call.headers,
            body: call.body,
            timeout: call.timeout,
            most_bytes: call.most_bytes,
        };
        // The URL may hold what only the receiver should know.
        let span = trace_span!(target: "enlist_trace", "call", of, status = Empty);
        let called = async move {
            let reply = client.call(request).await.map_err(error)?;
            Span::current().record("status", reply.status);
            Ok(OutboundReply {
                status: reply.status,
                body: reply.body,
            })
        };
        Box::pin(called.instrument(span))
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn error(error: CallError) -> OutboundError {
    match error {
        CallError::Redirected { status } => OutboundError::Redirected { status },
        CallError::TooLarge { status, most_bytes } => {
            OutboundError::TooLarge { status, most_bytes }
        }
        CallError::Crowded => OutboundError::Crowded,
        error if error.is_final() => OutboundError::Unusable(explain(&error)),
        error => OutboundError::Unreachable(explain(&error)),
    }
}
