//! `$ref`, to parts of the same schema alone.

use serde_json::Value;

use super::{Schema, SchemaError};
use crate::pointer::split;

/// The part of `document` that `reference` names.
pub(super) fn resolve<'a>(
    document: &'a Value,
    reference: &Value,
    pointer: &str,
) -> Result<&'a Value, SchemaError> {
    let refused = |message: &str| SchemaError::new(pointer, message);
    let path = reference
        .as_str()
        .and_then(|text| text.strip_prefix('#'))
        .ok_or_else(|| refused("refers elsewhere; write `#/$defs/…`"))?;
    let is_plain = !path.contains('%') && split(path).is_some();
    is_plain
        .then(|| document.pointer(path))
        .flatten()
        .ok_or_else(|| {
            refused("there is no such part; write `#/$defs/…` with a name that is there")
        })
}

/// Whether something in `part`, or in what it refers to, would be a secret. The subset does not see into
/// what the full check alone knows, so no secret may be declared there. What can't be found out in
/// bounded time counts as one.
pub(super) fn may_hold_secret(document: &Value, part: &Value) -> bool {
    let mut budget = Schema::MAX_FIELDS * 4;
    holds_secret(document, part, 0, &mut budget)
}

fn holds_secret(document: &Value, part: &Value, depth: usize, budget: &mut usize) -> bool {
    if *budget == 0 || depth > Schema::MAX_DEPTH * 2 {
        return true;
    }
    *budget -= 1;
    match part {
        Value::Object(fields) => fields.iter().any(|(key, value)| match key.as_str() {
            "writeOnly" => value != &Value::Bool(false),
            "$ref" => match resolve(document, value, "") {
                Ok(part) => holds_secret(document, part, depth + 1, budget),
                Err(_) => true,
            },
            _ => holds_secret(document, value, depth + 1, budget),
        }),
        Value::Array(items) => items
            .iter()
            .any(|item| holds_secret(document, item, depth + 1, budget)),
        _ => false,
    }
}
