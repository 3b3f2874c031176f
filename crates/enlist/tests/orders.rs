//! Orders to devices, and the receipts of those that were wiped, from the operator's side.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{DeviceId, SystemClock, Timestamp};
use enlist_keys::FileKey;
use enlist_keys::tls::{Identity, ServerTrust, client_config};
use enlist_pki::{Anchors, Certificate, chain_from_pem};
use enlist_signed::{Envelope, ErasedItem, Erasure, OrderedBy, Receipt};
use enlist_wire::{Client, Hardware, HardwareKind, PollRequest, ReceiptRequest};
use rig::{Rig, eventually};

/// A device that holds what `enlist provision` has left.
struct Lamp {
    client: Client,
    key: Arc<FileKey>,
    leaf: Certificate,
    id: DeviceId,
}

impl Lamp {
    fn provisioned(rig: &Rig) -> Self {
        let told = rig.json("enlist provision lamp-1 -g lamps --secret-file secret.txt -o json");
        let key = Arc::new(FileKey::from_pkcs8_pem(&rig.read("lamp-1_key.pem")).unwrap());
        let leaf = chain_from_pem(&rig.read("lamp-1_crt.pem"))
            .unwrap()
            .remove(0);
        let trust = ServerTrust {
            anchors: Anchors::from_pem(&rig.read("../data/root.pem")).unwrap(),
            service_anchors: Anchors::default(),
        };
        let identity = Identity {
            chain: vec![leaf.to_rustls()],
            key: key.clone(),
        };
        let tls = client_config(trust, Some(identity), Arc::new(SystemClock)).unwrap();
        Self {
            client: Client::new(&rig.url, Arc::new(tls), Duration::from_secs(20)).unwrap(),
            key,
            leaf,
            id: told["device_id"].as_str().unwrap().parse().unwrap(),
        }
    }

    fn hand_in_receipt(&self) {
        let receipt = Receipt {
            tenant: "default".parse().unwrap(),
            group: "lamps".parse().unwrap(),
            device: self.id,
            name: "lamp-1".parse().unwrap(),
            serial: self.leaf.serial_hex(),
            ordered_by: OrderedBy::Server,
            began_at: Timestamp::from_secs(1_800_000_000),
            at: Timestamp::from_secs(1_800_000_001),
            erased: vec![ErasedItem {
                what: "path:/var/lib/lamp".to_owned(),
                result: Erasure::Failed("read-only".to_owned()),
            }],
        };
        let envelope = Envelope::seal(&receipt, &*self.key).unwrap();
        let receipt = enlist_wire::Envelope(envelope.to_value());
        self.client.receipt(&ReceiptRequest { receipt }).unwrap();
    }
}

fn rig() -> Rig {
    let rig = Rig::new();
    rig.ok("enlist add group lamps --enrollment open --on-hardware-change refuse > secret.txt");
    rig
}

#[test]
fn orders_are_given_seen_and_told_of() {
    let rig = rig();
    let lamp = Lamp::provisioned(&rig);
    let group = rig.json("enlist get groups -o json");
    let lamps = group.as_array().unwrap().iter();
    let mut lamps = lamps.filter(|one| one["name"] == "lamps");
    let policy = lamps.next().unwrap();
    assert_eq!(policy["policy"]["on_hardware_change"], "refuse");

    rig.ok("enlist refresh certificate lamp-1 -g lamps --rekey");
    rig.ok("enlist refresh token lamp-1 -g lamps");
    rig.ok("enlist reset config lamp-1 -g lamps");
    rig.refused(
        "enlist accept hardware lamp-1 -g lamps",
        1,
        "hardware-not-changed",
    );
    let orders = rig.json("enlist get orders lamp-1 -g lamps -o json");
    let kinds: Vec<_> = orders
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["order"])
        .collect();
    assert_eq!(kinds, ["rotate-key", "rotate-token", "reset-configuration"]);

    let said = PollRequest {
        agent: Some("lamp/1 \u{1b}[2J".to_owned()),
        changed_hardware: Some(Hardware {
            kind: HardwareKind::Serial,
            value: "L7".to_owned(),
        }),
        ..PollRequest::default()
    };
    assert_eq!(lamp.client.poll(&said).unwrap().commands.len(), 3);
    let seen = rig.ok("enlist get device lamp-1 -g lamps");
    for line in ["serial:L7", "lamp/1", "1 rotate-key, 2 rotate-token"] {
        assert!(seen.contains(line), "{seen}");
    }
    assert!(!seen.contains('\u{1b}'), "a device steers no terminal");
    rig.ok("enlist accept hardware lamp-1 -g lamps");
    rig.refused("enlist get receipt lamp-1 -g lamps", 1, "no-receipt");
}

#[test]
fn a_wiped_device_is_waited_for_and_its_receipt_verified_offline() {
    let rig = rig();
    let lamp = Lamp::provisioned(&rig);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| rig.ok("enlist decommission device lamp-1 -g lamps --wait"));
        let asked = PollRequest::default();
        eventually("the wipe is ordered", || {
            !lamp.client.poll(&asked).unwrap().commands.is_empty()
        });
        lamp.hand_in_receipt();
        waits.join().unwrap();
    });
    let shown = rig.ok("enlist get receipt lamp-1 -g lamps");
    assert!(shown.contains("path:/var/lib/lamp (read-only)"), "{shown}");

    rig.ok("enlist get receipt lamp-1 -g lamps -o json > receipt.json");
    rig.ok("enlist get anchor > anchor.pem");
    let offline = "ENLIST_SERVER=https://127.0.0.1:1 enlist verify receipt";
    let told = rig.json(&format!("{offline} receipt.json --ca anchor.pem -o json"));
    assert_eq!(told["name"], "lamp-1");
    rig.ok(&format!(
        "{offline} receipt.json --certificate lamp-1_crt.pem"
    ));

    // A CA that has not issued the device's certificate, and a receipt that says something else.
    rig.refused(
        &format!("{offline} receipt.json --ca ../data/root.pem"),
        1,
        "untrusted-certificate",
    );
    let mut forged: serde_json::Value = serde_json::from_str(&rig.read("receipt.json")).unwrap();
    let payload = forged["receipt"]["payload"].as_str().unwrap();
    forged["receipt"]["payload"] = payload.replacen('A', "B", 1).into();
    rig.write("forged.json", &forged.to_string());
    rig.refused(
        &format!("{offline} forged.json --ca anchor.pem"),
        1,
        "receipt-refused",
    );
    rig.write("none.json", "{}");
    let refused = rig.sh(&format!("{offline} none.json --ca anchor.pem"));
    assert_eq!(refused.status, 1, "{}", refused.err);
}

#[test]
fn where_operators_sign_a_wipe_takes_their_key() {
    const NEW_KEY: &str = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out";
    const OWN: &str = "enlist --signing-method local --signing-key";
    let rig = Rig::new();
    rig.ok(&format!("{NEW_KEY} signing.pem && {NEW_KEY} other.pem"));
    rig.ok(&format!(
        "{OWN} signing.pem add group lamps --enrollment open > secret.txt"
    ));
    let lamp = Lamp::provisioned(&rig);
    let wipe = "decommission device lamp-1 -g lamps";
    rig.refused(&format!("enlist {wipe}"), 1, "signature-needed");
    rig.refused("enlist reset config lamp-1 -g lamps", 1, "signature-needed");
    rig.refused(&format!("{OWN} other.pem {wipe}"), 1, "signing-key-unknown");
    rig.ok("enlist refresh certificate lamp-1 -g lamps --rekey");
    rig.ok(&format!("{OWN} signing.pem reset config lamp-1 -g lamps"));
    let orders = lamp.client.poll(&PollRequest::default()).unwrap().commands;
    let signatures = |at: usize| {
        let envelope = Envelope::from_value(&orders[at].0).unwrap();
        envelope.signatures().len()
    };
    assert_eq!((signatures(0), signatures(1)), (1, 2));
    rig.ok(&format!("{OWN} signing.pem {wipe}"));
    let orders = lamp.client.poll(&PollRequest::default()).unwrap().commands;
    assert_eq!(orders.len(), 1, "the others are of no use any more");
}
