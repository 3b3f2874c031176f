//! Merging, migrating, comparing and masking.
#![allow(clippy::unwrap_used)]

mod common;

use common::{map, schema};
use enlist_config::{MASK, Migration, diff, merge, migrate};
use serde_json::{Value, json};

#[test]
fn the_device_wins_over_the_group_and_the_group_over_the_defaults() {
    let group = map(json!({"interval_s": 5, "broker": {"host": "g", "port": 1}, "topics": ["a"]}));
    let device = map(json!({"broker": {"host": "d", "port": null}, "topics": [], "mode": null}));
    let merged = Value::from(merge(schema().defaults(), &[&group, &device]));
    assert_eq!(merged["interval_s"], 5);
    assert_eq!(
        merged["broker"],
        json!({"host": "d", "port": 1, "password": ""})
    );
    assert_eq!(merged["topics"], json!([]), "a list is replaced as a whole");
    assert_eq!(merged["mode"], "slow", "null says nothing");
}

#[test]
fn null_never_comes_into_a_configuration_through_an_object() {
    let layer = map(json!({"new": {"a": null, "b": {"c": null}}, "list": [null]}));
    let merged = Value::from(merge(map(json!({"list": 1})), &[&layer]));
    assert_eq!(merged, json!({"new": {"b": {}}, "list": [null]}));
}

#[test]
fn values_are_led_from_one_schema_version_to_the_next() {
    let steps: Vec<Migration> = serde_json::from_value(json!([
        {"rename": {"from": "/host", "to": "/broker/host"}},
        {"rename": {"from": "/absent", "to": "/nowhere/at/all"}},
        {"remove": {"path": "/old/part"}},
        {"set": {"path": "/tls", "value": true}},
        {"map": {"path": "/mode", "values": {"quick": "fast", "2": "two"}}},
        {"scale": {"path": "/interval", "by": 1000.0}},
        {"scale": {"path": "/ratio", "by": 0.5}}
    ]))
    .unwrap();
    let values = json!({
        "host": "h", "old": {"part": 1, "rest": 2}, "mode": "quick", "interval": 5, "ratio": 0.5
    });
    let after = Value::from(migrate(map(values), &steps).unwrap());
    assert_eq!(
        after,
        json!({
            "broker": {"host": "h"}, "old": {"rest": 2}, "tls": true, "mode": "fast",
            "interval": 5000, "ratio": 0.25
        })
    );
    let again = migrate(map(json!({"mode": "other"})), &steps).unwrap();
    assert_eq!(Value::from(again), json!({"mode": "other", "tls": true}));
}

#[test]
fn a_step_that_makes_no_sense_is_refused() {
    for (step, words) in [
        (json!({"remove": {"path": ""}}), "does not name a field"),
        (json!({"remove": {"path": "port"}}), "does not name a field"),
        (
            json!({"set": {"path": "/port/low", "value": 1}}),
            "/port/low",
        ),
        (
            json!({"scale": {"path": "/name", "by": 2.0}}),
            "can't be multiplied",
        ),
        (
            json!({"scale": {"path": "/port", "by": 1e308}}),
            "can't be multiplied",
        ),
    ] {
        let step: Migration = serde_json::from_value(step).unwrap();
        let values = map(json!({"port": 1e10, "name": "secret-name"}));
        let error = migrate(values, &[step]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("secret-name"), "{error}");
    }
}

#[test]
fn a_difference_names_fields_and_masks_secrets() {
    let (before, mut after) = (Value::from(schema().defaults()), schema().defaults());
    after["broker"] = json!({"host": "h", "port": 8883, "password": "hunter2"});
    after["keys"] = json!({"hunter3": "x"});
    after.remove("ratio");
    after.insert("older_secret".into(), json!("hunter4"));
    let changes = diff(&schema(), &before, &after.into());
    assert_eq!(
        serde_json::to_value(&changes).unwrap(),
        json!([
            {"pointer": "/broker/host", "from": "localhost", "to": "h"},
            {"pointer": "/broker/password", "from": MASK, "to": MASK},
            {"pointer": "/keys", "from": MASK, "to": MASK},
            {"pointer": "/older_secret", "to": MASK},
            {"pointer": "/ratio", "from": 0.5}
        ])
    );
}

#[test]
fn what_is_shown_holds_no_secret() {
    let schema = schema();
    let value = json!({
        "broker": {"host": "h", "password": "hunter2"}, "keys": {"hunter2": "hunter2"},
        "unknown": "hunter2", "topics": ["t"]
    });
    let shown = schema.mask(&value, "");
    assert_eq!(
        shown,
        json!({"broker": {"host": "h", "password": MASK}, "keys": MASK, "unknown": MASK, "topics": ["t"]})
    );
    assert_eq!(schema.mask(&json!("x"), "/broker/host"), "x");
    assert_eq!(schema.mask(&json!("t"), "/topics/0"), "t");
    for secret in [
        "/broker/password",
        "/keys/a",
        "/none",
        "not a pointer",
        "/broker",
    ] {
        assert_eq!(schema.mask(&json!("hunter2"), secret), MASK, "{secret}");
    }
}
