//! Documents that people write: JSON, or TOML where the file's name says so.

use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::failure::refused;
use crate::files;

/// The most that is read of standard input.
const MAX_READ: u64 = 1024 * 1024;

/// Reads a document. `-` is standard input, and JSON.
pub fn read_value(path: &Path) -> anyhow::Result<Value> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(MAX_READ)
            .read_to_string(&mut text)
            .context("standard input can't be read")?;
        text
    } else {
        files::read_needed(path)?
    };
    parse(path, &text)
}

/// Reads a document that is an object.
pub fn read_fields(path: &Path) -> anyhow::Result<Map<String, Value>> {
    match read_value(path)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(malformed(path, "is no object of fields")),
    }
}

/// Reads a document that is a list.
pub fn read_list(path: &Path) -> anyhow::Result<Vec<Value>> {
    match read_value(path)? {
        Value::Array(items) => Ok(items),
        _ => Err(malformed(path, "is no list")),
    }
}

fn parse(path: &Path, text: &str) -> anyhow::Result<Value> {
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return toml::from_str(text)
            .map_err(|error| malformed(path, &format!("is no TOML: {}", error.message())));
    }
    // An error of this parser says where, and never what.
    serde_json::from_str(text).map_err(|error| malformed(path, &format!("is no JSON: {error}")))
}

fn malformed(path: &Path, what: &str) -> anyhow::Error {
    let name = match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => format!("`{}`", path.display()),
    };
    refused("file-malformed", format!("{name} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_toml_say_the_same() {
        let json = parse(Path::new("a.json"), r#"{"net": {"port": 8}, "on": true}"#).unwrap();
        let toml = parse(Path::new("a.toml"), "on = true\n[net]\nport = 8\n").unwrap();
        assert_eq!(json, toml);
        assert!(parse(Path::new("a.json"), "on = true").is_err());
        assert!(parse(Path::new("-"), "{").is_err());
    }
}
