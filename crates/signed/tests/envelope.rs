//! What is believed, and what is not.
#![allow(clippy::unwrap_used)]

use enlist_core::{DeviceId, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_signed::{Command, Envelope, Layer, MalformedEnvelope, Order, Refused, Unsigned};

fn command() -> Command {
    Command {
        tenant: "default".parse().unwrap(),
        device: DeviceId::from_bytes([7; 16]),
        number: 3,
        order: Order::Wipe,
        at: Timestamp::from_secs(1_790_000_000),
    }
}

fn key(kind: KeyKind) -> FileKey {
    FileKey::generate(kind).unwrap()
}

#[test]
fn a_statement_is_believed_for_any_key_that_counts_and_no_other() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        let (ours, other) = (key(kind), key(kind));
        let envelope = Envelope::seal(&command(), &ours).unwrap();
        let read = Envelope::from_json(&envelope.to_json()).unwrap();
        let keys = [other.public_key(), ours.public_key()];
        assert_eq!(read.open::<Command>(keys).unwrap(), command());
        let refused = read.open::<Command>([other.public_key()]).unwrap_err();
        assert!(matches!(refused, Refused::NotSigned));
        assert!(matches!(read.open::<Command>([]), Err(Refused::NotSigned)));
    }
}

#[test]
fn a_statement_is_never_taken_for_one_of_another_type() {
    let key = key(KeyKind::P256);
    let envelope = Envelope::seal(&command(), &key).unwrap();
    let refused = envelope.open::<Layer>([key.public_key()]).unwrap_err();
    assert!(matches!(refused, Refused::AnotherType(_)));
    // Nor does relabelling help: the type is signed too.
    let json = String::from_utf8(envelope.to_json()).unwrap();
    let relabelled = json.replace("command+json", "config-layer+json");
    let relabelled = Envelope::from_json(relabelled.as_bytes()).unwrap();
    let refused = relabelled.open::<Layer>([key.public_key()]).unwrap_err();
    assert!(matches!(refused, Refused::NotSigned));
}

#[test]
fn an_envelope_that_was_cut_off_or_changed_anywhere_says_nothing() {
    let key = key(KeyKind::Ed25519);
    let json = Envelope::seal(&command(), &key).unwrap().to_json();
    for end in 0..json.len() {
        assert!(Envelope::from_json(&json[..end]).is_err(), "{end}");
    }
    for at in 0..json.len() {
        let mut changed = json.clone();
        changed[at] ^= 1;
        if let Ok(envelope) = Envelope::from_json(&changed) {
            assert!(
                envelope.open::<Command>([key.public_key()]).is_err(),
                "{at}"
            );
        }
    }
    let long = vec![b' '; Envelope::MAX_LEN + 1];
    assert!(matches!(
        Envelope::from_json(&long),
        Err(MalformedEnvelope::TooLong)
    ));
}

#[test]
fn a_signature_made_elsewhere_completes_a_statement_if_it_is_over_this_one() {
    let (ours, other) = (key(KeyKind::P256), key(KeyKind::P256));
    let unsigned = Unsigned::new(&command());
    let sig = ours.sign(&unsigned.message()).unwrap();
    let wrong = unsigned.clone().signed_by(other.public_key(), sig.clone());
    assert!(matches!(wrong, Err(Refused::NotSigned)));
    let envelope = unsigned.signed_by(ours.public_key(), sig).unwrap();
    assert!(envelope.open::<Command>([ours.public_key()]).is_ok());
}
