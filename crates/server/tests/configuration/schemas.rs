//! Schemas: which are taken, and what they do to what is there.

use enlist_testkit::refusal;
use enlist_wire::{ApplySchema, HistoryQuery, PollRequest, RollbackRequest};
use serde_json::json;

use crate::bench::{Bench, schema};

#[test]
fn a_schema_must_give_each_field_a_default_that_it_takes_itself() {
    let bench = Bench::new();
    let mut without = schema();
    without["properties"]["site"]
        .as_object_mut()
        .unwrap()
        .remove("default");
    let error = bench.apply_schema(without, None).unwrap_err();
    assert!(error.to_string().contains("/properties/site"), "{error}");
    assert_eq!(refusal::<()>(Err(error)), "schema-refused");
    let mut broken = schema();
    broken["properties"]["interval_s"]["default"] = json!(0);
    assert_eq!(refusal(bench.apply_schema(broken, None)), "schema-refused");
    // What the subset does not see, the whole check does.
    let mut contradictory = schema();
    contradictory["not"] = json!({"properties": {"interval_s": {"const": 60}}});
    assert_eq!(
        refusal(bench.apply_schema(contradictory, None)),
        "schema-refused"
    );
    assert_eq!(refusal(bench.apply(None, json!({}))), "no-schema");
    assert!(bench.events("configuration-applied").is_empty());
}

#[test]
fn the_next_schema_needs_a_way_from_the_one_before() {
    let bench = Bench::with_schema();
    assert!(
        !bench.apply_schema(schema(), None).unwrap().changed,
        "the same"
    );
    bench.apply(None, json!({"interval_s": 30})).unwrap();
    let mut next = schema();
    let fields = next["properties"].as_object_mut().unwrap();
    let mut interval = fields.remove("interval_s").unwrap();
    interval["maximum"] = json!(3_600_000);
    interval["default"] = json!(60_000);
    fields.insert("interval_ms".to_owned(), interval);
    assert_eq!(
        refusal(bench.apply_schema(next.clone(), None)),
        "migrations-missing"
    );
    // Without a step the old field would be left over.
    assert_eq!(
        refusal(bench.apply_schema(next.clone(), Some(Vec::new()))),
        "configuration-does-not-fit"
    );
    let bad = vec![json!({"renmae": {}})];
    assert_eq!(
        refusal(bench.apply_schema(next.clone(), Some(bad))),
        "migration-refused"
    );
    let steps = vec![
        json!({"rename": {"from": "/interval_s", "to": "/interval_ms"}}),
        json!({"scale": {"path": "/interval_ms", "by": 1000.0}}),
    ];
    let applied = bench.apply_schema(next, Some(steps)).unwrap();
    assert_eq!((applied.version, applied.schema_version), (2, 2));
    assert_eq!(bench.effective(None)["interval_ms"], 30_000);

    // Going back is a new number with the old version, and the values of that time count again.
    let back = RollbackRequest {
        to: 1,
        ..RollbackRequest::default()
    };
    bench.apply(None, json!({"interval_ms": 5000})).unwrap();
    let applied = bench
        .rig
        .admin()
        .rollback_schema("default", "pumps", &back)
        .unwrap();
    assert_eq!((applied.version, applied.schema_version), (3, 1));
    assert_eq!(bench.effective(None)["interval_s"], 30);
    let shown = bench.rig.admin().schema("default", "pumps", None).unwrap();
    assert_eq!((shown.newest, shown.highest_schema_version), (3, 2));
    let history = bench
        .rig
        .admin()
        .schema_history("default", "pumps", &HistoryQuery::default())
        .unwrap();
    let versions: Vec<_> = history.items.iter().map(|one| one.schema_version).collect();
    assert_eq!(versions, [1, 2, 1]);
}

#[test]
fn a_schema_that_a_single_device_would_not_fit_is_refused_by_its_name() {
    let bench = Bench::with_schema();
    bench.rig.enrolled_device("pumps", "pump-7", &bench.secret);
    bench
        .apply(Some("pump-7"), json!({"interval_s": 3000}))
        .unwrap();
    let mut narrower = schema();
    narrower["properties"]["interval_s"]["maximum"] = json!(100);
    let error = bench
        .apply_schema(narrower.clone(), Some(Vec::new()))
        .unwrap_err();
    assert!(error.to_string().contains("`pump-7`"), "{error}");
    let slug = refusal::<()>(Err(error));
    assert_eq!(slug, "configuration-does-not-fit");
    bench
        .rig
        .admin()
        .delete_device("default", "pumps", "pump-7")
        .unwrap();
    bench.apply_schema(narrower, Some(Vec::new())).unwrap();
}

#[test]
fn a_trial_states_nothing() {
    let bench = Bench::new();
    let trial = ApplySchema {
        schema: Some(schema()),
        dry_run: true,
        ..ApplySchema::default()
    };
    let tried = bench
        .rig
        .admin()
        .apply_schema("default", "pumps", &trial)
        .unwrap();
    assert!(tried.changed);
    let shown = bench.rig.admin().schema("default", "pumps", None);
    assert_eq!(refusal(shown), "no-schema");
    assert!(bench.events("configuration-applied").is_empty());
}

#[test]
fn a_large_schema_gets_through_and_one_too_large_does_not() {
    let bench = Bench::new();
    let with_description = |len: usize| {
        let mut schema = schema();
        schema["description"] = json!("x".repeat(len));
        schema
    };
    bench.apply_schema(with_description(200_000), None).unwrap();
    let device = bench.rig.enrolled_device("pumps", "pump-1", &bench.secret);
    let reply = device
        .client(&bench.rig)
        .poll(&PollRequest::default())
        .unwrap();
    assert!(reply.configuration.schema.is_some());
    let too_large = bench.apply_schema(with_description(300_000), Some(Vec::new()));
    assert_eq!(refusal(too_large), "schema-refused");
    let huge = bench.apply_schema(with_description(2_000_000), Some(Vec::new()));
    assert!(huge.is_err());
}
