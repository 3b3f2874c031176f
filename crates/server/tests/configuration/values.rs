//! Values: for a group and for single devices, who sees them, and what devices are offered.

use enlist_testkit::refusal;
use enlist_wire::{
    ApplyConfiguration, ConfigurationNumbers, ConfigurationQuery, HistoryQuery, NewGroup,
    NewTenant, PollRequest, Role, RollbackRequest,
};
use serde_json::{Value, json};

use crate::bench::{Bench, fields};

#[test]
fn a_device_wins_over_its_group_and_the_group_over_the_default() {
    let bench = Bench::with_schema();
    bench.rig.enrolled_device("pumps", "pump-7", &bench.secret);
    let group = json!({"interval_s": 30, "wifi": {"ssid": "hall", "password": "s3cret"}});
    bench.apply(None, group).unwrap();
    let own = json!({"interval_s": 5, "wifi": {"ssid": null}});
    let applied = bench.apply(Some("pump-7"), own).unwrap();
    let change = &applied.changes[0];
    assert_eq!(change.pointer, "/interval_s");
    assert_eq!(
        (&change.from, &change.to),
        (&Some(json!(30)), &Some(json!(5)))
    );
    let expected = json!({
        "interval_s": 5, "site": "nowhere", "wifi": {"ssid": "hall", "password": "s3cret"}
    });
    assert_eq!(bench.effective(Some("pump-7")), expected);
    for wrong in [
        json!({"interval": 5}),
        json!({"interval_s": 0}),
        json!({"interval_s": "5"}),
        json!({"wifi": {"ssid": 1}}),
    ] {
        for device in [None, Some("pump-7")] {
            let refused = bench.apply(device, wrong.clone());
            assert_eq!(refusal(refused), "configuration-invalid", "{wrong}");
        }
    }
    assert_eq!(
        refusal(bench.apply(Some("pump-9"), json!({}))),
        "device-not-found"
    );
}

#[test]
fn of_two_operators_at_once_one_is_told_of_the_conflict() {
    let bench = Bench::with_schema();
    bench.apply(None, json!({"interval_s": 30})).unwrap();
    let based_on = |version, interval: u32| ApplyConfiguration {
        values: Some(fields(json!({"interval_s": interval}))),
        expects: Some(version),
        ..ApplyConfiguration::default()
    };
    let apply = |request: &ApplyConfiguration| {
        bench
            .rig
            .admin()
            .apply_configuration("default", "pumps", None, request)
    };
    apply(&based_on(1, 10)).unwrap();
    assert_eq!(refusal(apply(&based_on(1, 20))), "configuration-conflict");
    assert_eq!(bench.effective(None)["interval_s"], 10);

    // Truly at once: each number is given once, and whoever missed it is told so.
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let bench = &bench;
        let all: Vec<_> = (0..8)
            .map(|n| scope.spawn(move || bench.apply(None, json!({"interval_s": 100 + n}))))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut versions = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(applied) => versions.push(applied.version),
            Err(error) => assert_eq!(refusal::<()>(Err(error)), "configuration-conflict"),
        }
    }
    versions.sort_unstable();
    let expected: Vec<u64> = (3..3 + versions.len() as u64).collect();
    assert_eq!(versions, expected);
}

#[test]
fn going_back_is_a_new_number_with_the_old_values() {
    let bench = Bench::with_schema();
    for interval in [30, 10] {
        bench.apply(None, json!({"interval_s": interval})).unwrap();
    }
    assert!(
        !bench
            .apply(None, json!({"interval_s": 10}))
            .unwrap()
            .changed
    );
    let back = |to| {
        let request = RollbackRequest {
            to,
            ..RollbackRequest::default()
        };
        let admin = bench.rig.admin();
        admin.rollback_configuration("default", "pumps", None, &request)
    };
    assert_eq!(refusal(back(9)), "no-such-version");
    assert_eq!(back(1).unwrap().version, 3);
    assert_eq!(bench.effective(None)["interval_s"], 30);
    let query = HistoryQuery {
        limit: Some(2),
        after: None,
    };
    let page = bench
        .rig
        .admin()
        .configuration_history("default", "pumps", None, &query)
        .unwrap();
    let versions: Vec<_> = page.items.iter().map(|one| one.version).collect();
    assert_eq!((versions, page.next.as_deref()), (vec![3, 2], Some("2")));
    assert!(page.items[0].by.starts_with("token:"));
    let events = bench.events("configuration-applied");
    let last = &events.last().unwrap()["detail"];
    assert_eq!(last["back_to"], "1");
    assert_eq!(last["changes"], "/interval_s from 10 to 30");
}

#[test]
fn secrets_are_shown_to_an_administrator_who_asks_and_to_nobody_else() {
    let bench = Bench::with_schema();
    let values = json!({"wifi": {"ssid": "hall", "password": "hunter2hunter2"}});
    let applied = bench.apply(None, values).unwrap();
    let everything = [
        serde_json::to_value(applied).unwrap(),
        Value::Array(bench.events("configuration-applied")),
    ];
    for shown in everything {
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
    }
    let ask = |role, reveal| {
        let query = ConfigurationQuery {
            effective: true,
            reveal,
            version: None,
        };
        bench
            .as_role(role)
            .configuration("default", "pumps", None, &query)
    };
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let found = serde_json::to_value(ask(role, false).unwrap()).unwrap();
        assert!(!found.to_string().contains("hunter2"), "{found}");
        assert_eq!(found["values"]["wifi"]["password"], "***");
        assert_eq!(found["values"]["wifi"]["ssid"], "hall");
        assert!(found.get("envelope").is_none(), "secrets stand in it");
    }
    assert_eq!(refusal(ask(Role::Viewer, true)), "forbidden");
    assert_eq!(refusal(ask(Role::Operator, true)), "forbidden");
    let found = ask(Role::Admin, true).unwrap();
    assert_eq!(found.values["wifi"]["password"], "hunter2hunter2");
    let history = bench.as_role(Role::Viewer).configuration_history(
        "default",
        "pumps",
        None,
        &HistoryQuery::default(),
    );
    let history = serde_json::to_value(history.unwrap()).unwrap().to_string();
    assert!(history.contains("/wifi/password") && !history.contains("hunter2"));
    let viewer = bench.as_role(Role::Viewer);
    let request = ApplyConfiguration {
        values: Some(fields(json!({"wifi": {"password": "guess"}}))),
        dry_run: true,
        ..ApplyConfiguration::default()
    };
    let guess = viewer.apply_configuration("default", "pumps", None, &request);
    assert_eq!(refusal(guess), "forbidden", "comparing would be guessing");
}

#[test]
fn a_device_is_offered_what_it_does_not_hold() {
    let bench = Bench::with_schema();
    let device = bench.rig.enrolled_device("pumps", "pump-1", &bench.secret);
    let other = bench.rig.enrolled_device("pumps", "pump-2", &bench.secret);
    bench.apply(None, json!({"interval_s": 30})).unwrap();
    bench
        .apply(Some("pump-1"), json!({"site": "hall 3"}))
        .unwrap();
    let offered = |device: &enlist_testkit::FakeDevice, holds| {
        let request = PollRequest {
            holds,
            ..PollRequest::default()
        };
        let reply = device.client(&bench.rig).poll(&request).unwrap();
        let offer = reply.configuration;
        (
            offer.schema.is_some(),
            offer.group.is_some(),
            offer.device.is_some(),
        )
    };
    let holds = |schema, group, device| ConfigurationNumbers {
        schema,
        group,
        device,
    };
    assert_eq!(offered(&device, holds(0, 0, 0)), (true, true, true));
    assert_eq!(offered(&other, holds(0, 0, 0)), (true, true, false));
    assert_eq!(offered(&device, holds(1, 0, 1)), (false, true, false));
    assert_eq!(offered(&device, holds(1, 1, 1)), (false, false, false));
    bench.apply(None, json!({"interval_s": 31})).unwrap();
    assert_eq!(offered(&other, holds(1, 1, 0)), (false, true, false));
}

#[test]
fn one_tenants_configuration_is_nobody_elses() {
    let bench = Bench::with_schema();
    let acme = NewTenant::named("acme");
    let admin = bench.rig.admin();
    admin.create_tenant(&acme).unwrap();
    admin
        .create_group("acme", &NewGroup::named("pumps"))
        .unwrap();
    assert_eq!(refusal(admin.schema("acme", "pumps", None)), "no-schema");
    let ours = admin.signing("default", "pumps").unwrap();
    let theirs = admin.signing("acme", "pumps").unwrap();
    assert_ne!(ours.keys, theirs.keys);
    let factory = bench.as_role(Role::Factory);
    assert_eq!(factory.signing("default", "pumps").unwrap(), ours);
    assert_eq!(
        refusal(factory.signing("acme", "pumps")),
        "tenant-not-found"
    );
    assert_eq!(
        refusal(factory.schema("default", "pumps", None)),
        "forbidden"
    );
}
