//! An identity, for people and for programs.

use enlist_wire::Time;
use serde_json::{Map, Value, json};

use super::{Output, print};
use crate::config::Configuration;
use crate::export::Export;
use crate::machine::Identity;

/// Prints who the device is, and where its files are.
pub(super) fn identity(
    identity: &Identity,
    configuration: &Configuration,
    more: &[(&str, Value)],
    output: Output,
) {
    let export = Export::of(configuration);
    let own = || configuration.persistent_directory.join("current");
    let current = export.as_ref().map_or_else(own, Export::current);
    let file = |name: &str| Value::from(current.join(name).to_string_lossy());
    // What the agent keeps for itself is encrypted, or elsewhere, and of no use to others.
    let key = export.is_some() && current.join("key.pem").exists();
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
            ("key", if key { file("key.pem") } else { Value::Null }),
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
