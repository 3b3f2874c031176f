//! Exported records of events, whole and harmed.

use enlist_core::{EventId, EventRecord, GroupId, Seal, TenantId, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_signed::audit::{Line, Sealed};
use enlist_signed::{Envelope, Head};

use crate::Corpus;

pub fn seeds(corpus: &Corpus) {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let good = record(&key);
    corpus.taken("four-events", &joined(&key, &good));
    corpus.refused("nothing", b"");
    corpus.refused("no-events", &joined(&key, &[]));
    corpus.refused("no-head", &joined(&key, &good[..5]));
    corpus.refused(
        "an-event-gone",
        &joined(&key, &[&good[..1], &good[2..]].concat()),
    );
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    corpus.refused("two-swapped", &joined(&key, &swapped));
    let part = [&[Line::After(place(&good[1]).into())], &good[2..]].concat();
    corpus.refused("a-part", &joined(&key, &part));
    let other = FileKey::generate(KeyKind::P256).unwrap();
    corpus.refused("anothers-key", &joined(&other, &good));
    let text = String::from_utf8(joined(&key, &good)).unwrap();
    corpus.refused("changed", text.replace("größer", "kleiner").as_bytes());
    corpus.refused("cut-off", &text.as_bytes()[..text.len() - 40]);
}

fn record(key: &FileKey) -> Vec<Line> {
    let mut seal = Seal::START;
    let mut lines = Vec::new();
    for number in 1..=4_u8 {
        let event = EventRecord {
            event_id: EventId::from_bytes([number; 16]),
            tenant_id: TenantId::from_bytes([7; 16]),
            at: Timestamp::from_millis(1_790_000_000_000 + i64::from(number)),
            actor: "newcomer".to_owned(),
            kind: "device-enrolled".to_owned(),
            group_id: (number > 1).then(|| GroupId::from_bytes([8; 16])),
            device_id: None,
            name: format!("lamp-{number}"),
            detail: vec![("note".to_owned(), "größer\n".to_owned()); usize::from(number % 3)],
        };
        seal = seal.next(&event);
        lines.push(Line::Sealed(Sealed {
            seq: seal.seq,
            hash: seal.hash,
            event,
        }));
        if number % 2 == 0 {
            let head = Head {
                tenant: "default".parse().unwrap(),
                tenant_id: TenantId::from_bytes([7; 16]),
                events: seal.seq,
                hash: seal.hash,
                at: Timestamp::from_millis(1_790_000_001_000),
            };
            lines.push(Line::Head(Envelope::seal(&head, key).unwrap()));
        }
    }
    lines
}

fn place(line: &Line) -> Seal {
    match line {
        Line::Sealed(sealed) => Seal {
            seq: sealed.seq,
            hash: sealed.hash,
        },
        _ => Seal::START,
    }
}

fn joined(key: &FileKey, lines: &[Line]) -> Vec<u8> {
    let mut bytes = key.public_key().to_pem().into_bytes();
    bytes.extend(lines.iter().flat_map(Line::to_bytes));
    bytes
}
