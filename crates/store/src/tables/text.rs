//! The text forms of what core knows through serde alone.

use enlist_core::HardwareIdentity;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The text of an enum without data.
pub(super) fn of<T: Serialize>(item: &T) -> String {
    match serde_json::to_value(item) {
        Ok(Value::String(text)) => text,
        other => unreachable!("an enum without data is a text, not {other:?}"),
    }
}

/// Reads it back.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(Value::String(text.to_owned())).ok()
}

/// JSON of a map or list; `None` where it is empty.
pub(super) fn to_json<T: Serialize>(items: &T, is_empty: bool) -> Option<String> {
    (!is_empty).then(|| serde_json::to_string(items).expect("texts can be written as JSON"))
}

/// Reads JSON back.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// Reads a hardware identity, `kind:value`. It is not checked again: what counts as a
/// placeholder may change between versions, and what is on record stays readable.
pub(super) fn hardware(text: &str) -> Option<HardwareIdentity> {
    let (kind, value) = text.split_once(':')?;
    serde_json::from_value(json!({ "kind": kind, "value": value })).ok()
}
