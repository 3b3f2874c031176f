//! Every field of the configuration file has its line in docs/agent-configuration.md.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;

use enlist_agent::Configuration;

const DOCUMENT: &str = include_str!("../../../docs/agent-configuration.md");

/// The fields that a refusal of an unknown one lists, which are all that there are.
fn fields(config: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.json");
    fs::write(&path, config).unwrap();
    let words = Configuration::load(&path).unwrap_err().to_string();
    let (_, listed) = words.split_once("expected one of").unwrap();
    let names = listed.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn every_field_of_the_configuration_has_its_line_in_the_document() {
    let mut all = fields(r#"{"schema_version": 1, "nothing": 1}"#);
    all.extend(fields(r#"{"schema_version": 1, "hooks": {"nothing": 1}}"#));
    assert!(all.len() > 30, "{all:?}");
    for field in all {
        let has_its_line = |line: &str| {
            let names = line.split(" | ").next().unwrap_or_default();
            names.starts_with("| ") && names.contains(&format!("`{field}`"))
        };
        assert!(DOCUMENT.lines().any(has_its_line), "{field}");
    }
}
