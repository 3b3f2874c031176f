//! What strangers wrote: nothing makes it panic, and what must hold holds for all of it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{map, schema};
use enlist_config::{Migration, Schema, diff, merge, migrate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const SECRET: &str = "hunter2";

/// JSON over the words of JSON Schema and those of the schema under test.
fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("string"),
        Just("object"),
        Just("array"),
        Just("#"),
        Just("#/$defs/a"),
        Just(SECRET),
        Just("fast"),
        Just("/a/b"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            fields(inner).prop_map(Value::from),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop::sample::select(vec![
        "type",
        "properties",
        "default",
        "items",
        "$ref",
        "$defs",
        "a",
        "b",
        "enum",
        "minimum",
        "additionalProperties",
        "allOf",
        "writeOnly",
        "required",
        "multipleOf",
        "broker",
        "host",
        "password",
        "keys",
        "zones",
        "topics",
        "interval_s",
        "mode",
        "gain",
        "ratio",
        "step",
    ]);
    prop::collection::vec((key.prop_map(str::to_owned), inner), 0..6)
        .prop_map(|fields| fields.into_iter().collect())
}

fn values() -> impl Strategy<Value = Map<String, Value>> {
    fields(json())
}

proptest! {
    #[test]
    fn parsing_never_panics_and_what_is_parsed_takes_its_defaults(mut schema in fields(json())) {
        let _ = Schema::parse(&Value::from(schema.clone()));
        schema.insert("type".into(), "object".into());
        schema.remove("writeOnly");
        if let Ok(parsed) = Schema::parse(&Value::from(schema)) {
            prop_assert_eq!(parsed.check(&parsed.defaults()), Ok(()));
            prop_assert_eq!(parsed.check_layer(&parsed.defaults()), Ok(()));
        }
    }

    #[test]
    fn layers_merge_at_once_or_one_by_one(d in values(), a in values(), b in values(), c in values()) {
        let at_once = merge(d.clone(), &[&a, &b, &c]);
        prop_assert_eq!(&merge(merge(d.clone(), &[&a]), &[&b, &c]), &at_once);
        let own = merge(Map::new(), &[&c]);
        prop_assert_eq!(merge(own.clone(), &[&c]), own);
    }

    #[test]
    fn what_is_the_same_does_not_differ(value in json()) {
        prop_assert!(diff(&schema(), &value, &value).is_empty());
    }

    #[test]
    fn no_text_that_is_made_holds_a_secret(a in values(), b in values()) {
        let (schema, mut hidden) = (schema(), a);
        // Wherever it is put, at one that is declared or at one that nobody knows.
        hidden.insert("keys".into(), json!({SECRET: SECRET, "k": [SECRET]}));
        hidden.insert("unknown".into(), json!(SECRET));
        hidden.insert("broker".into(), json!({"password": SECRET, "x": SECRET}));
        hidden.retain(|key, _| ["keys", "unknown", "broker"].contains(&key.as_str()));
        let (value, other) = (Value::from(hidden.clone()), Value::from(b));
        let mut texts = vec![schema.mask(&value, "").to_string()];
        texts.extend(diff(&schema, &value, &Value::from(schema.defaults())).iter().map(|c| format!("{c:?}")));
        for checked in [schema.check(&hidden), schema.check_layer(&hidden)] {
            texts.extend(checked.err().iter().flatten().map(ToString::to_string));
        }
        let _ = (diff(&schema, &value, &other), schema.mask(&other, "/broker/host"));
        prop_assert!(texts.iter().all(|text| !text.contains(SECRET)), "{:?}", texts);
    }

    #[test]
    fn values_that_fit_still_fit_after_migrating(interval in 1..=3600_i64, host in "[a-z]{1,20}") {
        let steps: Vec<Migration> = serde_json::from_value(json!([
            {"rename": {"from": "/interval", "to": "/interval_s"}},
            {"scale": {"path": "/interval_s", "by": 0.001}},
            {"rename": {"from": "/host", "to": "/broker/host"}}
        ])).unwrap();
        let old = map(json!({"interval": interval * 1000, "host": host}));
        let new = migrate(old, &steps).unwrap();
        prop_assert_eq!(&new["interval_s"], interval);
        prop_assert_eq!(schema().check(&merge(schema().defaults(), &[&new])), Ok(()));
    }

    #[test]
    fn migrating_never_panics(a in values(), from in "(/[ab~01]?){0,3}", to in "(/[ab]?){0,3}", by in any::<f64>()) {
        let steps = [
            Migration::Scale { path: from.clone(), by },
            Migration::Map { path: from.clone(), values: a.clone() },
            Migration::Rename { from: from.clone(), to: to.clone() },
            Migration::Set { path: to, value: json!(1) },
            Migration::Remove { path: from },
        ];
        for step in steps {
            let _ = migrate(a.clone(), &[step]);
        }
    }
}
