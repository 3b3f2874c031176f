//! Spans as OTLP has them, in its JSON form.

use serde_json::{Value, json};

use super::layer::{Attribute, Finished};

/// Kinds of spans (`SpanKind`): what goes on within, what others ask for, what others are asked for.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// The status of one that failed (`StatusCode`).
const ERROR: u8 = 2;

/// An `ExportTraceServiceRequest` with these spans, of the server that is called `instance`.
pub(super) fn request(spans: &[Finished], instance: &str) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "enlist"),
            text("service.version", version),
            text("service.instance.id", instance),
        ] },
        "scopeSpans": [{
            "scope": { "name": "enlist", "version": version },
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
        }],
    }] })
}

fn span(span: &Finished) -> Value {
    let mut json = json!({
        "traceId": span.trace,
        "spanId": format!("{:016x}", span.id),
        "name": name(span),
        "kind": match span.name {
            "request" => SERVER,
            "call" => CLIENT,
            _ => INTERNAL,
        },
        "startTimeUnixNano": span.started.as_nanos().to_string(),
        "endTimeUnixNano": span.ended.as_nanos().to_string(),
        "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
    });
    if let Some(parent) = &span.parent {
        json["parentSpanId"] = json!(parent);
    }
    let mut attributes = span.attributes.iter();
    let is_failure = |value: &Attribute| matches!(value, Attribute::Number(500..));
    if attributes.any(|(key, value)| *key == "status" && is_failure(value)) {
        json["status"] = json!({ "code": ERROR });
    }
    json
}

/// What it does rather than what it is.
fn name(span: &Finished) -> &str {
    let says = |key: &str| {
        let found = span.attributes.iter().find(|(name, _)| *name == key);
        found.and_then(|(_, value)| match value {
            Attribute::Text(text) => Some(text.as_str()),
            _ => None,
        })
    };
    let what = match span.name {
        "request" => says("operation"),
        "transaction" => says("transaction"),
        _ => None,
    };
    what.unwrap_or(span.name)
}

fn attribute((key, value): &(&'static str, Attribute)) -> Value {
    match value {
        Attribute::Text(value) => text(key, value),
        // 64 bits are text in the JSON form.
        Attribute::Number(value) => {
            json!({ "key": key, "value": { "intValue": value.to_string() } })
        }
        Attribute::Flag(value) => json!({ "key": key, "value": { "boolValue": value } }),
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
