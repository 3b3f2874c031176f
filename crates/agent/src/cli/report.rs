//! An identity, for people and for programs.

use std::path::Path;

use enlist_wire::Time;
use serde_json::{Map, Value, json};

use super::{Output, print};
use crate::machine::Identity;

/// Prints who the device is, and where its files are.
pub(super) fn identity(
    identity: &Identity,
    directory: &Path,
    more: &[(&str, Value)],
    output: Output,
) {
    let current = directory.join("current");
    let file = |name: &str| Value::from(current.join(name).to_string_lossy());
    let time = |secs| Value::from(Time::from_secs(secs).to_string());
    let mut fields = vec![
        ("device_id", json!(identity.device_id.to_string())),
        ("name", json!(identity.name)),
        ("tenant", json!(identity.tenant)),
        ("group", json!(identity.group)),
    ];
    if let Some(validity) = &identity.validity {
        fields.extend([
            ("certificate", file("certificate.pem")),
            ("key", file("key.pem")),
            ("ca", file("ca.pem")),
            ("serial", json!(validity.serial)),
            ("not_before", time(validity.not_before)),
            ("not_after", time(validity.not_after)),
        ]);
    }
    fields.extend(more.iter().cloned());
    list(fields, output);
}

/// Prints fields, one a line, or as one JSON object.
pub(super) fn list(fields: Vec<(&str, Value)>, output: Output) {
    if output == Output::Json {
        let object: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        print(&Value::from(object).to_string());
        return;
    }
    let mut text = String::new();
    for (name, value) in fields {
        let shown = match value {
            Value::Null => continue,
            Value::String(text) => text,
            other => other.to_string(),
        };
        text += &format!("{:<16}  {shown}\n", name.replace('_', " "));
    }
    print(&text);
}
