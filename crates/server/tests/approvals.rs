//! A person's word on those that wait: it counts once, whoever says it at the same time.

#![allow(clippy::unwrap_used)]

use std::thread;
use std::time::Duration;

use enlist_ops::Location;
use enlist_testkit::{FakeDevice, Postgres, Rig, refusal};
use enlist_wire::{
    AttestationKind, Client, DeviceAction, DeviceState, EnrollReply, Enrollment, Event,
    EventsQuery, Hardware, HardwareKind, NewGroup, NewToken, Role, WithoutProof, ZeroTouch,
};

fn waiting(rig: &Rig, secret: &str, name: &str) -> FakeDevice {
    let device = rig.device("field", name, secret);
    let applied = rig.stranger().enroll(&device.request()).unwrap();
    assert!(matches!(applied, EnrollReply::Pending(_)));
    device
}

fn field(rig: &Rig) -> String {
    rig.group("field", Enrollment::Approve)
}

fn act() -> DeviceAction {
    DeviceAction::default()
}

fn events(rig: &Rig, kind: &str) -> Vec<Event> {
    let query = EventsQuery {
        kind: Some(kind.to_owned()),
        ..EventsQuery::default()
    };
    rig.admin().events("default", &query).unwrap().items
}

fn certificates(rig: &Rig) -> usize {
    let all = rig.admin().certificates("default", &Default::default());
    all.unwrap().items.len()
}

/// All at once; how many of them went well.
fn at_once<T: Send>(deeds: Vec<Box<dyn FnOnce() -> Result<T, String> + Send + '_>>) -> usize {
    thread::scope(|scope| {
        let running: Vec<_> = deeds.into_iter().map(|deed| scope.spawn(deed)).collect();
        let outcomes = running.into_iter().map(|one| one.join().unwrap());
        outcomes.filter(Result::is_ok).count()
    })
}

/// The word of one of them counts, and the others are told that it is too late.
fn one_word_counts(servers: [&Rig; 2], secret: &str) {
    let here = servers[0];
    let slug = |error: enlist_wire::ClientError| error.problem().unwrap().slug().to_owned();
    for round in 0..8 {
        let name = format!("unit-{round}");
        let mut device = waiting(here, secret, &name);
        let before = certificates(here);
        let (yes, no) = (
            events(here, "device-approved"),
            events(here, "device-rejected"),
        );
        let mut deeds: Vec<Box<dyn FnOnce() -> Result<DeviceState, String> + Send>> = Vec::new();
        for turn in 0..6 {
            let (admin, name): (Client, _) = (servers[turn % 2].admin().clone(), name.clone());
            deeds.push(Box::new(move || {
                let said = match turn {
                    5 if round % 2 == 1 => admin.reject("default", "field", &name, &act()),
                    _ => admin.approve("default", "field", &name, &act()),
                };
                said.map(|device| device.state).map_err(slug)
            }));
        }
        let asking = device.request();
        let other = servers[1].stranger();
        let (asked, counted) = thread::scope(|scope| {
            let asked = scope.spawn(move || other.enroll(&asking));
            let counted = at_once(deeds);
            (asked.join().unwrap(), counted)
        });
        // Who asks meanwhile waits, is in, or was turned away and waits anew, for one more word.
        asked.unwrap();
        let approved = events(here, "device-approved").len() - yes.len();
        let rejected = events(here, "device-rejected").len() - no.len();
        assert_eq!(approved + rejected, counted, "round {round}");
        assert!(approved <= 1 && rejected <= round % 2, "round {round}");
        assert!(counted >= 1, "round {round}");
        assert_eq!(certificates(here) - before, approved, "round {round}");
        if approved == 1 {
            device.enroll(here).unwrap();
            assert_eq!(certificates(here) - before, 1, "the recorded answer");
        }
    }
}

#[test]
fn of_many_words_at_once_one_counts() {
    let rig = Rig::new();
    let secret = field(&rig);
    one_word_counts([&rig, &rig], &secret);
}

#[test]
fn of_many_words_at_once_through_two_servers_one_counts() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("approvals");
    let here = Rig::on_shared(Location::Postgres(url.clone()));
    let there = Rig::beside(&here, Location::Postgres(url));
    let secret = field(&here);
    one_word_counts([&here, &there], &secret);
}

#[test]
fn the_queue_tells_who_waits_since_when_from_where_and_by_which_secret() {
    let rig = Rig::new();
    let secret = field(&rig);
    waiting(&rig, &secret, "unit-1");
    let device = rig.admin().device("default", "field", "unit-1").unwrap();
    let pending = device.pending.unwrap();
    assert_eq!(pending.from.as_deref(), Some("127.0.0.1"));
    assert_eq!(pending.secret.as_deref(), Some("first"));
    assert!(pending.until.unwrap() > pending.since);
    let applied = &events(&rig, "device-applied")[0];
    assert_eq!(applied.detail["from"], "127.0.0.1");
    assert_eq!(applied.detail["secret_label"], "first");
    assert_eq!(applied.detail["code"], pending.code);
}

#[test]
fn who_let_a_device_in_is_on_record() {
    let rig = Rig::new();
    let secret = field(&rig);
    waiting(&rig, &secret, "unit-1");
    let night = NewToken {
        label: "night shift".to_owned(),
        role: Role::Operator,
        group: Some("field".to_owned()),
        expires_in_s: Some(3600),
    };
    let created = rig.admin().create_token("default", &night).unwrap();
    let person = rig.client_with_token(created.token.expose());
    person
        .approve("default", "field", "unit-1", &act())
        .unwrap();
    // The token is no more, and still one can tell whose it was.
    rig.admin()
        .delete_token("default", created.token_id)
        .unwrap();
    let query = EventsQuery {
        group: Some("field".to_owned()),
        device: Some("unit-1".to_owned()),
        actor: Some("night shift".to_owned()),
        ..EventsQuery::default()
    };
    let found = rig.admin().events("default", &query).unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, "device-approved");
    assert_eq!(found[0].by_label.as_deref(), Some("night shift"));
    assert_eq!(found[0].detail["secret_label"], "first");
    let nobody = EventsQuery {
        actor: Some("day shift".to_owned()),
        ..EventsQuery::default()
    };
    assert_eq!(
        refusal(rig.admin().events("default", &nobody)),
        "token-not-found"
    );

    let open = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &open);
    let enrolled = &events(&rig, "device-enrolled")[0];
    assert_eq!(enrolled.by, "newcomer");
    assert_eq!(enrolled.detail["secret_label"], "first");
    assert_eq!(enrolled.detail["from"], "127.0.0.1");
    rig.clock.advance(Duration::from_secs(60));
    let query = EventsQuery {
        since: Some(enlist_wire::Time::from_millis(enrolled.at.as_millis() + 1)),
        ..EventsQuery::default()
    };
    assert_eq!(rig.admin().events("default", &query).unwrap().items, []);
}

#[test]
fn who_was_turned_away_or_forgotten_asks_anew() {
    let rig = Rig::new();
    let group = NewGroup {
        enrollment: Enrollment::Approve,
        approval_timeout_h: Some(1),
        ..NewGroup::named("field")
    };
    let secret = rig.group_with(&group);
    let mut device = waiting(&rig, &secret, "unit-1");
    let approve = || rig.admin().approve("default", "field", "unit-1", &act());
    rig.admin()
        .reject("default", "field", "unit-1", &act())
        .unwrap();
    assert_eq!(refusal(approve()), "device-not-found");
    waiting(&rig, &secret, "unit-1");
    rig.clock.advance(Duration::from_secs(3600));
    assert_eq!(refusal(approve()), "invalid-request");
    rig.block_on(rig.ops.lapse_applications()).unwrap();
    assert_eq!(refusal(approve()), "device-not-found");
    assert_eq!(events(&rig, "device-rejected").len(), 2);
    assert_eq!(events(&rig, "device-rejected")[1].by, "server");
    device = waiting(&rig, &secret, &device.name.clone().unwrap());
    approve().unwrap();
    device.enroll(&rig).unwrap();
}

#[test]
fn a_word_is_about_the_application_that_was_seen_and_not_about_who_came_after() {
    let rig = Rig::new();
    let secret = field(&rig);
    let admin = rig.admin();
    let seen = || DeviceAction {
        code: admin
            .device("default", "field", "unit-1")
            .unwrap()
            .pending
            .map(|it| it.code),
        ..act()
    };
    waiting(&rig, &secret, "unit-1");
    let before = seen();
    admin.reject("default", "field", "unit-1", &before).unwrap();
    let mut other = waiting(&rig, &secret, "unit-1");
    assert_eq!(
        refusal(admin.approve("default", "field", "unit-1", &before)),
        "another-application"
    );
    assert_eq!(
        refusal(admin.reject("default", "field", "unit-1", &before)),
        "another-application"
    );
    assert_eq!(certificates(&rig), 0);
    assert_eq!(events(&rig, "device-rejected").len(), 1);
    // A person may have typed it.
    let now = DeviceAction {
        code: seen().code.map(|code| format!(" {} ", code.to_lowercase())),
        ..act()
    };
    admin.approve("default", "field", "unit-1", &now).unwrap();
    other.enroll(&rig).unwrap();
    // Who is in does not wait, whatever code is brought.
    assert_eq!(
        refusal(admin.approve("default", "field", "unit-1", &now)),
        "invalid-transition"
    );
}

/// A group that takes secrets and TPMs, and lets everybody else wait.
fn lenient(rig: &Rig) -> String {
    rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        hardware_is_identity: true,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Approve,
        }),
        ..NewGroup::named("field")
    })
}

/// Asks without a secret, and waits; its name comes back.
fn waits_with_nothing(rig: &Rig, device: &FakeDevice) -> String {
    let mut request = device.request();
    request.secret = None;
    match rig.stranger().enroll(&request).unwrap() {
        EnrollReply::Pending(pending) => pending.name,
        EnrollReply::Enrolled(enrolled) => panic!("let in: {enrolled:?}"),
    }
}

fn serial(value: &str) -> Option<Hardware> {
    Some(Hardware {
        kind: HardwareKind::Serial,
        value: value.to_owned(),
    })
}

#[test]
fn one_that_waits_with_nothing_to_show_stands_in_no_holders_way() {
    let rig = Rig::new();
    let secret = lenient(&rig);
    let squatter = |name: &str| {
        let mut device = rig.device("field", name, "");
        device.hardware = serial("SN-1");
        waits_with_nothing(&rig, &device);
    };
    squatter("press-1");
    // In the way of others that have nothing either it does.
    let mut other = rig.device("field", "press-1", "").request();
    other.secret = None;
    let refused = rig.stranger().enroll(&other);
    assert_eq!(refusal(refused), "hardware-mismatch");

    let mut by_name = rig.device("field", "press-1", &secret);
    let enrolled = by_name.enroll(&rig).unwrap();
    assert_eq!(enrolled.name, "press-1");
    assert_eq!(by_name.enroll(&rig).unwrap(), enrolled);
    let gone = &events(&rig, "device-rejected")[0];
    assert_eq!(gone.detail["reason"], "displaced");

    squatter("press-2");
    let mut by_hardware = rig.device("field", "press-3", &secret);
    by_hardware.hardware = serial("SN-1");
    by_hardware.enroll(&rig).unwrap();
    assert_eq!(events(&rig, "device-rejected").len(), 2);
    assert_eq!(events(&rig, "hardware-claimed-twice"), []);

    // Who is in is not displaced.
    let mut thief = rig.device("field", "press-1", &secret);
    assert_eq!(refusal(thief.enroll(&rig)), "device-already-enrolled");
    thief.name = Some("press-4".to_owned());
    thief.hardware = serial("SN-1");
    assert_eq!(refusal(thief.enroll(&rig)), "hardware-conflict");
}

#[test]
fn one_that_waited_with_nothing_and_brings_a_secret_later_is_in() {
    let rig = Rig::new();
    let secret = lenient(&rig);
    let mut device = rig.device("field", "press-1", &secret);
    device.hardware = serial("SN-1");
    waits_with_nothing(&rig, &device);
    let mut other_token = rig.device("field", "press-1", &secret);
    other_token.key = device.key.clone();
    assert_eq!(refusal(other_token.enroll(&rig)), "enrollment-conflict");
    assert_eq!(device.enroll(&rig).unwrap().name, "press-1");
    // Another that says nothing of itself.
    let mut nameless = rig.device("field", "unused", &secret);
    nameless.name = None;
    let name = waits_with_nothing(&rig, &nameless);
    assert_eq!(nameless.enroll(&rig).unwrap().name, name);
}

#[test]
fn one_that_waits_with_a_secret_keeps_its_place() {
    let rig = Rig::new();
    let secret = field(&rig);
    waiting(&rig, &secret, "press-1");
    let mut other = rig.device("field", "press-1", &secret);
    assert_eq!(refusal(other.enroll(&rig)), "device-already-enrolled");
    assert_eq!(events(&rig, "device-rejected"), []);
}

#[test]
fn a_name_that_a_nameless_device_would_have_is_not_lost_to_who_takes_it_first() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let nameless = |hardware| {
        let mut device = rig.device("pumps", "unused", &secret);
        device.name = None;
        device.hardware = hardware;
        device
    };
    // The name is after the hardware alone, so that anybody can know it before.
    let first = nameless(serial("SN-1")).enroll(&rig).unwrap();
    let mut device = nameless(serial("SN-1"));
    let second = device.enroll(&rig).unwrap();
    assert!(
        second.name.starts_with(&first.name) && second.name != first.name,
        "{} and {}",
        first.name,
        second.name
    );
    assert_eq!(device.enroll(&rig).unwrap(), second);
}
