//! Orders to devices: signed, numbered, carried out once, acknowledged.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use enlist_core::DeviceToken;
use enlist_ops::Location;
use enlist_signed::Order;
use enlist_testkit::{FakeDevice, Postgres, Rig, refusal};
use enlist_wire::{
    DeviceAction, Enrollment, Hardware, HardwareKind, NewGroup, NewOrder, PollRequest, Signing,
    SigningMethod,
};

fn ask(order: enlist_wire::Order) -> NewOrder {
    NewOrder {
        order,
        envelope: None,
    }
}

fn rotate_key() -> NewOrder {
    ask(enlist_wire::Order::RotateKey)
}

fn give(rig: &Rig, order: &NewOrder) -> enlist_wire::DeviceOrder {
    rig.admin()
        .order("default", "pumps", "pump-1", order)
        .unwrap()
}

fn orders(rig: &Rig) -> Vec<enlist_wire::DeviceOrder> {
    let page = rig
        .admin()
        .orders("default", "pumps", "pump-1", &Default::default());
    page.unwrap().items
}

fn kinds(rig: &Rig) -> Vec<String> {
    let events = rig.admin().events("default", &Default::default()).unwrap();
    events.items.into_iter().map(|one| one.kind).collect()
}

fn pump(rig: &Rig) -> FakeDevice {
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret)
}

#[test]
fn an_order_is_signed_for_its_device_and_acknowledged_once() {
    let rig = Rig::new();
    let device = pump(&rig);
    let given = give(&rig, &rotate_key());
    assert_eq!((given.number, given.done), (1, None));
    let again = give(&rig, &rotate_key());
    assert_eq!(again.number, 1, "the device was not handed it yet");

    let reply = device.poll(&rig, &PollRequest::default()).unwrap();
    let commands = device.commands(&reply);
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].order, Order::RotateKey);
    assert_eq!(commands[0].device.to_string(), device.id().to_string());
    assert_eq!(commands[0].tenant.as_str(), "default");
    assert!(orders(&rig)[0].fetched_at.is_some());

    // The reply may have been lost: it is there until it is done with.
    let reply = device.poll(&rig, &PollRequest::default()).unwrap();
    assert_eq!(device.commands(&reply).len(), 1);
    give(&rig, &ask(enlist_wire::Order::Renew));
    let reply = device.acknowledge(&rig, 1, true).unwrap();
    let numbers: Vec<_> = device.commands(&reply).iter().map(|c| c.number).collect();
    assert_eq!(numbers, [2]);
    device.acknowledge(&rig, 1, false).unwrap();
    device.acknowledge(&rig, 2, false).unwrap();
    let done: Vec<_> = orders(&rig).into_iter().map(|one| one.done).collect();
    assert_eq!(done, [Some(true), Some(false)]);
    let kinds = kinds(&rig);
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    assert_eq!(count("order-given"), 2);
    assert_eq!(count("order-done"), 1);
    assert_eq!(count("order-failed"), 1);
}

#[test]
fn a_device_can_not_acknowledge_what_it_was_not_handed() {
    let rig = Rig::new();
    let device = pump(&rig);
    give(&rig, &rotate_key());
    let reply = device.acknowledge(&rig, 1, true).unwrap();
    assert!(reply.commands.is_empty(), "it says that it has taken it");
    assert_eq!(orders(&rig)[0].done, None);
    device.acknowledge(&rig, 7, true).unwrap();
}

#[test]
fn a_suspended_device_finds_its_orders_when_it_is_back() {
    let rig = Rig::new();
    let device = pump(&rig);
    let act = DeviceAction::default();
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act)
        .unwrap();
    give(&rig, &rotate_key());
    let poll = PollRequest::default();
    assert_eq!(refusal(device.poll(&rig, &poll)), "device-suspended");
    rig.admin()
        .resume("default", "pumps", "pump-1", &act)
        .unwrap();
    assert_eq!(device.poll(&rig, &poll).unwrap().commands.len(), 1);
}

#[test]
fn orders_of_an_earlier_life_do_not_reach_the_next() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    give(&rig, &rotate_key());
    let act = DeviceAction::default();
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &act)
        .unwrap();
    let order = rig
        .admin()
        .order("default", "pumps", "pump-1", &rotate_key());
    assert_eq!(refusal(order), "device-not-active");
    let before = device.clone();
    device.key = rig.device("pumps", "pump-1", "").key;
    device.enroll(&rig).unwrap();
    let poll = PollRequest::default();
    assert!(device.poll(&rig, &poll).unwrap().commands.is_empty());
    assert_eq!(refusal(before.poll(&rig, &poll)), "certificate-superseded");
}

#[test]
fn a_device_that_waits_is_told_at_once() {
    let rig = Rig::new();
    let device = pump(&rig);
    device.poll(&rig, &PollRequest::default()).unwrap();
    let began = Instant::now();
    assert!(!device.client(&rig).wait(1).unwrap().poll);
    assert!(began.elapsed() >= Duration::from_secs(1));

    let client = device.client(&rig);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || (client.wait(15).unwrap(), Instant::now()));
        std::thread::sleep(Duration::from_millis(500));
        let ordered = Instant::now();
        give(&rig, &rotate_key());
        let (told, at) = waiting.join().unwrap();
        assert!(told.poll);
        assert!(at - ordered < Duration::from_secs(1), "{:?}", at - ordered);
    });
    assert!(
        device.client(&rig).wait(15).unwrap().poll,
        "not fetched yet"
    );
    device.poll(&rig, &PollRequest::default()).unwrap();
    assert!(!device.client(&rig).wait(1).unwrap().poll);
    assert_eq!(refusal(device.client(&rig).wait(0)), "invalid-request");
    assert_eq!(refusal(rig.stranger().wait(1)), "no-evidence");
}

#[test]
fn an_order_given_to_one_server_rings_at_the_other() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let place = Location::Postgres(postgres.database("two_servers"));
    let here = Rig::on_shared(place.clone());
    let there = Rig::beside(&here, place);
    let device = pump(&here);
    device.poll(&here, &PollRequest::default()).unwrap();
    let client = device.client(&here);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || client.wait(15).unwrap());
        std::thread::sleep(Duration::from_millis(500));
        let ordered = Instant::now();
        give(&there, &rotate_key());
        assert!(waiting.join().unwrap().poll);
        assert!(ordered.elapsed() < Duration::from_secs(8));
    });
    let reply = device.poll(&here, &PollRequest::default()).unwrap();
    assert_eq!(device.commands(&reply).len(), 1, "one key on both servers");
}

#[test]
fn a_new_token_takes_over_when_the_device_says_that_it_holds_it() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    give(&rig, &ask(enlist_wire::Order::RotateToken));
    device.poll(&rig, &PollRequest::default()).unwrap();
    let (old, new) = (device.token.clone(), DeviceToken::generate(&*rig.rng));
    device.take_token(&rig, &new).unwrap();
    // The reply was lost, so it asks again; and until it has the answer it goes by either.
    device.take_token(&rig, &new).unwrap();
    device.renew_by_token(&rig).unwrap();
    device.acknowledge(&rig, 1, true).unwrap();
    assert_eq!(refusal(device.renew_by_token(&rig)), "wrong-device-token");
    device.token = new;
    device.renew_by_token(&rig).unwrap();
    let replaced = kinds(&rig);
    let count = replaced
        .iter()
        .filter(|one| *one == "device-token-replaced");
    assert_eq!(count.count(), 1);
    device.token = old;
    assert_eq!(refusal(device.renew_by_token(&rig)), "wrong-device-token");
}

#[test]
fn a_new_token_that_was_used_retires_the_one_before() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    let old = device.token.clone();
    device.token = DeviceToken::generate(&*rig.rng);
    device.take_token(&rig, &device.token).unwrap();
    device.renew_by_token(&rig).unwrap();
    device.token = old;
    assert_eq!(refusal(device.renew_by_token(&rig)), "wrong-device-token");
}

#[test]
fn changed_hardware_is_told_once_and_accepted_by_order() {
    let rig = Rig::new();
    let device = pump(&rig);
    let accept = ask(enlist_wire::Order::AcceptHardware);
    let early = rig.admin().order("default", "pumps", "pump-1", &accept);
    assert_eq!(refusal(early), "hardware-not-changed");
    let hardware = Hardware {
        kind: HardwareKind::Serial,
        value: "B7".to_owned(),
    };
    let changed = PollRequest {
        changed_hardware: Some(hardware.clone()),
        ..PollRequest::default()
    };
    device.poll(&rig, &changed).unwrap();
    device.poll(&rig, &changed).unwrap();
    let seen = rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert_eq!(
        seen.reported.unwrap().changed_hardware,
        Some(hardware.clone())
    );
    give(&rig, &accept);
    device.poll(&rig, &changed).unwrap();
    device.acknowledge(&rig, 1, true).unwrap();
    let seen = rig.admin().device("default", "pumps", "pump-1").unwrap();
    assert_eq!(seen.hardware, Some(hardware));
    assert_eq!(seen.reported.unwrap().changed_hardware, None);
    let kinds = kinds(&rig);
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    assert_eq!(count("hardware-changed"), 1);
    assert_eq!(count("hardware-accepted"), 1);
}

#[test]
fn where_operators_sign_the_server_alone_can_destroy_nothing() {
    use enlist_pki::{KeyKind, Signer};
    let rig = Rig::new();
    let key = enlist_keys::FileKey::generate(KeyKind::P256).unwrap();
    let secret = rig.group_with(&NewGroup {
        enrollment: Enrollment::Open,
        signing: Signing {
            method: SigningMethod::Local,
            keys: vec![key.public_key().to_pem()],
        },
        ..NewGroup::named("pumps")
    });
    let device = rig.enrolled_device("pumps", "pump-1", &secret);
    let admin = rig.admin();
    let reset = ask(enlist_wire::Order::ResetConfiguration);
    assert_eq!(
        refusal(admin.order("default", "pumps", "pump-1", &reset)),
        "signature-needed"
    );
    let act = DeviceAction::default();
    assert_eq!(
        refusal(admin.decommission("default", "pumps", "pump-1", &act)),
        "signature-needed"
    );
    // What destroys nothing needs no more than the server's signature.
    give(&rig, &rotate_key());
    assert_eq!(
        refusal(admin.draft_order("default", "pumps", "pump-1", &rotate_key())),
        "invalid-request"
    );

    let draft = admin
        .draft_order("default", "pumps", "pump-1", &reset)
        .unwrap();
    let mut completed = reset.clone();
    completed.envelope = Some(draft.clone());
    assert_eq!(
        refusal(admin.order("default", "pumps", "pump-1", &completed)),
        "order-not-signed"
    );
    let sign = |draft: &enlist_wire::Envelope, key: &dyn Signer| {
        let mut envelope = enlist_signed::Envelope::from_value(&draft.0).unwrap();
        envelope.sign(key).unwrap();
        Some(enlist_wire::Envelope(envelope.to_value()))
    };
    let stranger = enlist_keys::FileKey::generate(KeyKind::P256).unwrap();
    completed.envelope = sign(&draft, &stranger);
    assert_eq!(
        refusal(admin.order("default", "pumps", "pump-1", &completed)),
        "order-not-signed"
    );
    completed.envelope = sign(&draft, &key);
    give(&rig, &completed);
    assert_eq!(
        refusal(admin.order("default", "pumps", "pump-1", &{
            let mut wipe = completed.clone();
            wipe.order = enlist_wire::Order::AcceptHardware;
            wipe
        })),
        "hardware-not-changed"
    );

    let wipe = ask(enlist_wire::Order::Wipe);
    let draft = admin
        .draft_order("default", "pumps", "pump-1", &wipe)
        .unwrap();
    let act = DeviceAction {
        envelope: sign(&draft, &key),
        ..act
    };
    admin
        .decommission("default", "pumps", "pump-1", &act)
        .unwrap();
    let reply = device.poll(&rig, &PollRequest::default()).unwrap();
    let commands = device.commands(&reply);
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].order, Order::Wipe);
    let envelope = enlist_signed::Envelope::from_value(&reply.commands[0].0).unwrap();
    assert!(envelope.is_signed_by(key.public_key()));
}

#[test]
fn a_device_can_tell_the_orders_of_its_life_from_those_of_the_one_before() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let first = rig.enrolled_device("pumps", "pump-1", &secret);
    give(&rig, &rotate_key());
    let reply = first.poll(&rig, &PollRequest::default()).unwrap();
    let old = first.commands(&reply).remove(0);
    rig.admin()
        .deprovision("default", "pumps", "pump-1", &Default::default())
        .unwrap();
    rig.clock.advance(Duration::from_secs(60));
    let second = rig.enrolled_device("pumps", "pump-1", &secret);
    assert_eq!(second.id(), first.id(), "it is the same device");
    give(&rig, &rotate_key());
    let reply = second.poll(&rig, &PollRequest::default()).unwrap();
    let new = second.commands(&reply).remove(0);
    let issued_at = second.enrolled.as_ref().unwrap().issued_at.unwrap();
    let issued_at = issued_at.as_secs();
    assert!(old.at.as_secs() < issued_at, "{old:?}");
    assert!(new.at.as_secs() >= issued_at, "{new:?}");
}
