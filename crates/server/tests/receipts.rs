//! The end of a device: ordered or of its own accord, and proven by a receipt.

#![allow(clippy::unwrap_used)]

use enlist_keys::FileKey;
use enlist_pki::KeyKind;
use enlist_signed::{Envelope, ErasedItem, Erasure, Order};
use enlist_testkit::{FakeDevice, Rig, refusal};
use enlist_wire::{
    Device, DeviceAction, DeviceState, Enrollment, Event, NewOrder, PollRequest, ReceiptRequest,
};

fn act() -> DeviceAction {
    DeviceAction::default()
}

fn pump(rig: &Rig) -> FakeDevice {
    let secret = rig.group("pumps", Enrollment::Open);
    rig.enrolled_device("pumps", "pump-1", &secret)
}

fn decommission(rig: &Rig) -> Device {
    let admin = rig.admin();
    let begun = admin.decommission("default", "pumps", "pump-1", &act());
    begun.unwrap()
}

fn seen(rig: &Rig) -> Device {
    rig.admin().device("default", "pumps", "pump-1").unwrap()
}

fn events(rig: &Rig, kind: &str) -> Vec<Event> {
    let events = rig.admin().events("default", &Default::default()).unwrap();
    let items = events.items.into_iter();
    items.filter(|one| one.kind == kind).collect()
}

fn hand_in(rig: &Rig, device: &FakeDevice) -> Result<enlist_wire::ReceiptReply, String> {
    let handed = FakeDevice::hand_in(rig, &device.receipt(), &*device.key);
    match handed {
        Ok(reply) => Ok(reply),
        refused => Err(refusal(refused)),
    }
}

#[test]
fn a_decommissioned_device_is_ordered_to_wipe_and_proves_that_it_did() {
    let rig = Rig::new();
    let device = pump(&rig);
    let rotate = NewOrder {
        order: enlist_wire::Order::RotateKey,
        envelope: None,
    };
    let admin = rig.admin();
    admin.order("default", "pumps", "pump-1", &rotate).unwrap();
    assert_eq!(decommission(&rig).state, DeviceState::Decommissioning);
    let reply = device.poll(&rig, &PollRequest::default()).unwrap();
    assert_eq!(reply.device.state, DeviceState::Decommissioning);
    let orders: Vec<_> = device.commands(&reply).iter().map(|c| c.order).collect();
    assert_eq!(orders, [Order::Wipe], "nothing else makes sense any more");
    // Only the receipt says that it is done.
    let reply = device.acknowledge(&rig, 1, true).unwrap();
    assert_eq!(device.commands(&reply).len(), 1);

    let taken = hand_in(&rig, &device).unwrap();
    assert_eq!(taken.device_id, device.id());
    rig.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(hand_in(&rig, &device).unwrap(), taken, "the same answer");
    let seen = seen(&rig);
    assert_eq!(seen.state, DeviceState::Decommissioned);
    assert_eq!(seen.receipt_at, Some(taken.received_at));
    assert_eq!(seen.certificate, None);
    let polled = device.poll(&rig, &PollRequest::default());
    assert_eq!(refusal(polled), "device-decommissioned");

    let orders = admin.orders("default", "pumps", "pump-1", &Default::default());
    let done: Vec<_> = orders.unwrap().items.iter().map(|one| one.done).collect();
    assert_eq!(done, [Some(false), Some(true)]);
    assert_eq!(events(&rig, "receipt-received").len(), 1);
    let ended = &events(&rig, "device-decommissioned")[0];
    assert_eq!(ended.detail["by"], "receipt");

    // What is on record is what the device signed, with the certificate to check it by.
    let kept = &admin.receipts("default", "pumps", "pump-1").unwrap().items[0];
    let certificate = enlist_pki::Certificate::from_pem(&kept.certificate).unwrap();
    let envelope = Envelope::from_value(&kept.receipt.0).unwrap();
    let key = certificate.public_key().unwrap();
    let receipt: enlist_signed::Receipt = envelope.open([&key]).unwrap();
    assert_eq!(receipt, device.receipt());
    assert!(!kept.late);
}

#[test]
fn a_wiped_device_comes_back_only_when_it_is_allowed_to() {
    let rig = Rig::new();
    let mut device = pump(&rig);
    decommission(&rig);
    hand_in(&rig, &device).unwrap();
    let first = device.clone();
    assert_eq!(refusal(device.enroll(&rig)), "device-decommissioned");
    rig.admin()
        .allow_reenroll("default", "pumps", "pump-1", &act())
        .unwrap();
    device.key = rig.device("pumps", "pump-1", "").key;
    device.enroll(&rig).unwrap();
    let reply = device.poll(&rig, &PollRequest::default()).unwrap();
    assert!(reply.commands.is_empty(), "the old wipe is not for it");
    // The receipt of the first life, once more, does not end the second.
    hand_in(&rig, &first).unwrap();
    assert_eq!(seen(&rig).state, DeviceState::Active);
    decommission(&rig);
    hand_in(&rig, &device).unwrap();
    let receipts = rig.admin().receipts("default", "pumps", "pump-1");
    assert_eq!(receipts.unwrap().items.len(), 2);
}

#[test]
fn a_device_that_was_wiped_on_the_spot_says_so_by_its_receipt_alone() {
    for suspend in [false, true] {
        let rig = Rig::new();
        let device = pump(&rig);
        if suspend {
            rig.admin()
                .suspend("default", "pumps", "pump-1", &act())
                .unwrap();
        }
        rig.clock
            .advance(std::time::Duration::from_secs(30 * 24 * 3600));
        hand_in(&rig, &device).unwrap();
        assert_eq!(seen(&rig).state, DeviceState::Decommissioned);
        assert_eq!(events(&rig, "device-decommissioning").len(), 1);
    }
}

#[test]
fn a_device_that_had_very_much_to_erase_gets_rid_of_its_receipt() {
    let rig = Rig::new();
    let device = pump(&rig);
    decommission(&rig);
    let mut receipt = device.receipt();
    receipt.erased = (0..1000)
        .map(|n| ErasedItem {
            what: format!("path:/data/application/records/of/the/field/day-{n}"),
            result: Erasure::Erased,
        })
        .collect();
    FakeDevice::hand_in(&rig, &receipt, &*device.key).unwrap();
    assert_eq!(seen(&rig).state, DeviceState::Decommissioned);
    let kept = rig.admin().receipts("default", "pumps", "pump-1");
    let kept = serde_json::to_vec(&kept.unwrap().items[0].receipt).unwrap();
    assert!(kept.len() > 64 * 1024, "longer than other bodies may be");
}

#[test]
fn a_device_that_is_wiped_locally_takes_its_leave_first() {
    let rig = Rig::new();
    let device = pump(&rig);
    rig.admin()
        .suspend("default", "pumps", "pump-1", &act())
        .unwrap();
    let left = device.farewell(&rig).unwrap();
    assert_eq!(left.state, DeviceState::Decommissioning);
    device.farewell(&rig).unwrap();
    assert_eq!(events(&rig, "device-decommissioning").len(), 1);
    assert_eq!(
        refusal(device.clone().renew(&rig)),
        "device-decommissioning"
    );
    hand_in(&rig, &device).unwrap();
    assert_eq!(refusal(device.farewell(&rig)), "device-decommissioned");
}

#[test]
fn a_device_on_its_way_out_learns_of_it_with_an_expired_certificate() {
    let rig = Rig::new();
    let device = pump(&rig);
    rig.clock
        .advance(std::time::Duration::from_secs(30 * 24 * 3600));
    let poll = PollRequest::default();
    assert_eq!(refusal(device.poll(&rig, &poll)), "certificate-expired");
    decommission(&rig);
    let reply = device.poll(&rig, &poll).unwrap();
    assert_eq!(device.commands(&reply)[0].order, Order::Wipe);
}

#[test]
fn a_receipt_after_the_waiting_was_given_up_is_kept_as_late() {
    let rig = Rig::new();
    let device = pump(&rig);
    decommission(&rig);
    let give_up = DeviceAction {
        give_up: true,
        ..act()
    };
    rig.admin()
        .decommission("default", "pumps", "pump-1", &give_up)
        .unwrap();
    assert_eq!(
        events(&rig, "device-decommissioned")[0].detail["receipt"],
        "none"
    );
    hand_in(&rig, &device).unwrap();
    let kept = rig.admin().receipts("default", "pumps", "pump-1").unwrap();
    assert!(kept.items[0].late);
    assert_eq!(seen(&rig).state, DeviceState::Decommissioned);
}

#[test]
fn a_deleted_device_hands_in_nothing() {
    let rig = Rig::new();
    let device = pump(&rig);
    rig.admin()
        .delete_device("default", "pumps", "pump-1")
        .unwrap();
    assert_eq!(hand_in(&rig, &device).unwrap_err(), "no-credential");
}

#[test]
fn a_receipt_that_proves_nothing_ends_nothing() {
    let rig = Rig::new();
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    let other = rig.enrolled_device("pumps", "pump-2", &secret);
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    let receipt = device.receipt();
    let refused = |receipt: &enlist_signed::Receipt, key: &FileKey| {
        refusal(FakeDevice::hand_in(&rig, receipt, key))
    };
    assert_eq!(refused(&receipt, &stranger), "receipt-refused");
    assert_eq!(refused(&receipt, &other.key), "receipt-refused");
    let mut forged = device.receipt();
    forged.serial = other.receipt().serial;
    assert_eq!(refused(&forged, &other.key), "another-device");
    forged.serial = "00ff".to_owned();
    assert_eq!(refused(&forged, &device.key), "foreign-certificate");
    forged.serial = "ab".repeat(16);
    assert_eq!(refused(&forged, &device.key), "foreign-certificate");
    let mut forged = device.receipt();
    forged.name = "pump-2".parse().unwrap();
    assert_eq!(refused(&forged, &device.key), "another-device");
    let mut forged = device.receipt();
    forged.tenant = "acme".parse().unwrap();
    assert_eq!(refused(&forged, &device.key), "another-device");

    // An older key is no longer the device's to sign with.
    let before = (device.receipt(), device.key.clone());
    device.renew(&rig).unwrap();
    device.poll(&rig, &PollRequest::default()).unwrap();
    assert_eq!(refused(&before.0, &before.1), "certificate-superseded");

    // Cut at any place it is none.
    let envelope = Envelope::seal(&device.receipt(), &*device.key).unwrap();
    let whole = envelope.to_value();
    let payload = whole["payload"].as_str().unwrap();
    for at in (0..payload.len()).step_by(37) {
        let mut cut = whole.clone();
        cut["payload"] = payload[..at].into();
        let receipt = enlist_wire::Envelope(cut);
        let handed = rig.stranger().receipt(&ReceiptRequest { receipt });
        assert!(
            ["invalid-request", "receipt-refused"].contains(&refusal(handed).as_str()),
            "cut at {at}"
        );
    }
    assert_eq!(seen(&rig).state, DeviceState::Active);
    assert!(events(&rig, "receipt-received").is_empty());
}
