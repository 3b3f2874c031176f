//! What is taken for a schema, and what it takes.
#![allow(clippy::unwrap_used)]

mod common;

use common::{map, press, schema};
use enlist_config::{Schema, Violation};
use serde_json::{Value, json};

#[test]
fn the_defaults_are_those_of_the_fields() {
    assert_eq!(
        Value::from(schema().defaults()),
        json!({
            "interval_s": 60, "mode": "slow",
            "broker": {"host": "localhost", "port": 8883, "password": ""},
            "topics": ["press"], "ratio": 0.5, "step": 10, "zones": {}, "keys": {}
        })
    );
    schema().check(&schema().defaults()).unwrap();
}

/// The schema with one thing changed is refused, and the refusal says where and what to write.
#[track_caller]
fn refused(pointer: &str, value: Value, place: &str, words: &str) {
    let mut document = press();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    parent[key.replace("~1", "/")] = value;
    let error = Schema::parse(&document).unwrap_err();
    assert_eq!(error.pointer, place, "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[test]
fn a_schema_is_refused_with_the_place_and_what_to_write() {
    let field = "/properties/interval_s";
    let no_default = json!({"type": "integer"});
    refused(field, no_default, field, "write `default`");
    let keyword = |key: &str| format!("{field}/{key}");
    let odd = keyword("default");
    refused(
        &odd,
        json!(0),
        &odd,
        "refuses it itself: must be at least 1",
    );
    refused(&odd, json!("60"), &odd, "must be an integer");
    let odd = keyword("minimun");
    refused(&odd, json!(1), &odd, "mend the spelling");
    refused(
        &keyword("type"),
        json!("int"),
        &keyword("type"),
        "write boolean, integer",
    );
    refused(
        &keyword("minimum"),
        json!("1"),
        &keyword("minimum"),
        "write a number",
    );
    let odd = keyword("patternProperties");
    refused(&odd, json!({}), &odd, "additionalProperties");
    refused(
        "/$schema",
        json!("http://json-schema.org/draft-07/schema#"),
        "/$schema",
        "2020-12",
    );
    refused("/type", json!("array"), "/type", "\"object\"");
    let nested = "/properties/broker/default";
    refused(
        nested,
        json!({"host": "x"}),
        nested,
        "each field a default of its own",
    );
    let port = "/properties/broker/properties/port";
    let reference = format!("{port}/$ref");
    refused(
        &reference,
        json!("https://example.com/x"),
        &reference,
        "refers elsewhere",
    );
    refused(
        &reference,
        json!("#/$defs/none"),
        &reference,
        "no such part",
    );
    let beside = format!("{port}/maximum");
    refused(&beside, json!(5), &beside, "beside `$ref`");
    refused(
        "/required",
        json!(["absent"]),
        "",
        "refuses its own defaults",
    );
}

#[test]
fn a_secret_is_declared_where_every_device_sees_it_or_not_at_all() {
    let words = "may hold `writeOnly`";
    let all_of = "/properties/mode/allOf";
    refused(all_of, json!([{"writeOnly": true}]), all_of, words);
    refused(
        all_of,
        json!([{"$ref": "#/properties/keys"}]),
        all_of,
        words,
    );
    // In circles: it can't be found out, so it is not taken.
    refused(
        all_of,
        json!([{"$ref": "#/properties/mode"}]),
        all_of,
        words,
    );
}

#[test]
fn a_schema_is_bounded() {
    let circle = json!({"type": "object", "properties": {"a": {"$ref": "#"}}});
    let error = Schema::parse(&circle).unwrap_err();
    assert!(error.message.contains("in circles"), "{error}");

    let mut deep = json!({"type": "string", "default": ""});
    for _ in 0..40 {
        deep = json!({"type": "object", "properties": {"a": deep}});
    }
    assert!(
        Schema::parse(&deep)
            .unwrap_err()
            .message
            .contains("deeper than 32")
    );

    let fields = |n: usize| {
        let fields = (0..n).map(|i| (format!("f{i}"), json!({"default": 1})));
        json!({"type": "object", "properties": fields.collect::<serde_json::Map<_, _>>()})
    };
    Schema::parse(&fields(1999)).unwrap();
    assert!(
        Schema::parse(&fields(2000))
            .unwrap_err()
            .message
            .contains("2000 fields")
    );

    // References that double at each level are no way around it.
    let mut bomb = json!({"type": "object", "properties": {}, "$defs": {"d0": {"default": 1}}});
    for level in 1..14 {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        bomb["$defs"][format!("d{level}")] = json!({"properties": {"a": below, "b": below}});
    }
    bomb["properties"]["x"] = json!({"$ref": "#/$defs/d13"});
    assert!(
        Schema::parse(&bomb)
            .unwrap_err()
            .message
            .contains("2000 fields")
    );

    let mut long = press();
    long["description"] = "x".repeat(Schema::MAX_LEN).into();
    assert!(
        Schema::parse(&long)
            .unwrap_err()
            .message
            .contains("256 KiB")
    );
}

#[track_caller]
fn violation(layer: Value) -> Violation {
    let mut found = schema().check_layer(&map(layer)).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn each_rule_of_the_subset_holds() {
    for (layer, text) in [
        (json!({"interval_s": 0}), "/interval_s must be at least 1"),
        (
            json!({"interval_s": 3601}),
            "/interval_s must be at most 3600",
        ),
        (json!({"interval_s": "1"}), "/interval_s must be an integer"),
        (json!({"interval_s": 1.5}), "/interval_s must be an integer"),
        (
            json!({"mode": "other"}),
            "/mode must be one of the values that the schema lists",
        ),
        (
            json!({"broker": {"host": ""}}),
            "/broker/host must have at least 1 characters",
        ),
        (
            json!({"broker": {"port": 65536}}),
            "/broker/port must be at most 65535",
        ),
        (json!({"broker": []}), "/broker must be an object"),
        (
            json!({"broker": {"hots": "x"}}),
            "/broker/hots is not in the schema",
        ),
        (
            json!({"topics": ["a", "b", "c", "d"]}),
            "/topics must have at most 3 items",
        ),
        (
            json!({"topics": ["a", "a"]}),
            "/topics must not have the same item twice",
        ),
        (json!({"topics": ["a", 1]}), "/topics/1 must be a string"),
        (json!({"ratio": 1}), "/ratio must be less than 1"),
        (json!({"ratio": 0.0}), "/ratio must be more than 0"),
        (json!({"step": 12}), "/step must be a multiple of 5"),
        (
            json!({"zones": {"a/b": {"gain": "x"}}}),
            "/zones/a~1b/gain must be a number",
        ),
        (
            json!({"zones": {"a": {"gain": 1, "note": 1}}}),
            "/zones/a/note must be a string or null",
        ),
    ] {
        assert_eq!(violation(layer).to_string(), text);
    }
}

#[test]
fn a_layer_may_leave_out_what_a_whole_configuration_must_have() {
    let layer = map(json!({"zones": {"a": {"note": null}}, "interval_s": 2.0, "mode": 3.0}));
    schema().check_layer(&layer).unwrap();
    let mut whole = schema().defaults();
    whole.insert("zones".into(), json!({"a": {"note": null}}));
    let found = schema().check(&whole).unwrap_err();
    assert_eq!(found[0].to_string(), "/zones/a must have the field `gain`");
}

#[test]
fn no_violation_tells_of_a_secret() {
    let long = violation(json!({"broker": {"password": "correct horse battery"}}));
    assert_eq!(
        long.to_string(),
        "/broker/password must have at most 12 characters"
    );
    let inside = violation(json!({"keys": {"hunter2": 5, "hunter3": 6}}));
    assert_eq!(
        inside.to_string(),
        "/keys holds something that the schema refuses"
    );
}

#[cfg(feature = "full")]
#[test]
fn the_full_check_knows_what_the_subset_leaves_out_and_tells_no_value() {
    use enlist_config::check_fully;
    let mut document = press();
    document["properties"]["broker"]["properties"]["host"]["pattern"] = json!("^[a-z.]+$");
    document["properties"]["broker"]["properties"]["password"]["pattern"] = json!("^[a-z]*$");
    document["properties"]["keys"]["propertyNames"] = json!({"maxLength": 3});
    document["properties"]["keys"]["additionalProperties"]["pattern"] = json!("^k");
    document["allOf"] = json!([{"properties": {"topics": {"minItems": 1}}}]);
    let parsed = Schema::parse(&document).unwrap();
    check_fully(&document, &parsed.defaults().into()).unwrap();
    let values = json!({
        "broker": {"host": "HOST-7", "password": "HUNTER2"}, "topics": [],
        "keys": {"HUNTER3": "HUNTER4"}
    });
    let whole = enlist_config::merge(parsed.defaults(), &[&map(values)]);
    parsed.check(&whole).unwrap();
    let found = check_fully(&document, &whole.into()).unwrap_err();
    let pointers: Vec<&str> = found.iter().map(|one| one.pointer.as_str()).collect();
    for pointer in ["/broker/host", "/broker/password", "/topics", "/keys"] {
        assert!(pointers.contains(&pointer), "{found:?}");
    }
    let text = format!("{found:?}");
    assert!(
        !text.contains("HUNTER") && !text.contains("HOST-7"),
        "{text}"
    );
    let unknown = json!({"nobody": 1});
    assert!(
        check_fully(&document, &unknown).unwrap_err()[0]
            .message
            .contains("not in the schema")
    );
    document["properties"]["mode"]["pattern"] = json!("(");
    let found = check_fully(&document, &schema().defaults().into()).unwrap_err();
    assert!(found[0].message.contains("no good schema"), "{found:?}");
}

#[cfg(feature = "full")]
#[test]
fn patterns_are_bounded_together_and_not_only_one_by_one() {
    use enlist_config::FullSchema;
    let with = |count: usize, pattern: &str| {
        let field = |n: usize| {
            let field = json!({"type": "string", "default": "", "pattern": pattern});
            (format!("field-{n}"), field)
        };
        let fields: serde_json::Map<String, Value> = (0..count).map(field).collect();
        json!({"type": "object", "properties": fields})
    };
    // A large one, and as many as there may be fields of small ones.
    for (count, pattern) in [(20, r"^(\p{L}{10})?$"), (1_900, "^[a-z0-9.-]*$")] {
        let schema = FullSchema::parse(&with(count, pattern)).unwrap();
        let defaults = Schema::parse(&with(count, pattern)).unwrap().defaults();
        schema.check(&defaults.into()).unwrap();
    }
    let found = FullSchema::parse(&with(1_900, r"^(\p{L}{10})?$")).unwrap_err();
    assert!(found[0].message.contains("no good schema"), "{found:?}");
}

#[cfg(feature = "full")]
#[test]
fn a_reference_in_the_full_part_fetches_nothing() {
    let mut document = press();
    document["allOf"] = json!([{"$ref": "https://127.0.0.1:1/x"}]);
    // The subset refuses it already: it can't see whether a secret is behind it.
    assert!(Schema::parse(&document).is_err());
    document["allOf"] = json!([{"$ref": "#/$defs/port"}]);
    Schema::parse(&document).unwrap();
}
