//! What a walk through an exported record finds.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use enlist_core::{DeviceId, Digest, EventId, EventRecord, Seal, TenantId, Timestamp};
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer};
use enlist_signed::audit::{Finding, Line, Sealed, Verified, Verifier};
use enlist_signed::{Envelope, Head};
use proptest::prelude::*;

static KEY: LazyLock<FileKey> = LazyLock::new(|| FileKey::generate(KeyKind::P256).unwrap());
static RECORD: LazyLock<Vec<Line>> = LazyLock::new(|| record(20, &[5, 12, 20], "lamp"));

fn event(number: u8, name: &str) -> EventRecord {
    EventRecord {
        event_id: EventId::from_bytes([number; 16]),
        tenant_id: TenantId::from_bytes([7; 16]),
        at: Timestamp::from_millis(1_790_000_000_000 + i64::from(number)),
        actor: "server".to_owned(),
        kind: "device-enrolled".to_owned(),
        group_id: None,
        device_id: number
            .is_multiple_of(2)
            .then(|| DeviceId::from_bytes([number; 16])),
        name: format!("{name}-{number}"),
        detail: vec![("serial".to_owned(), number.to_string())],
    }
}

fn head(place: Seal) -> Envelope {
    let head = Head {
        tenant: "default".parse().unwrap(),
        tenant_id: TenantId::from_bytes([7; 16]),
        events: place.seq,
        hash: place.hash,
        at: Timestamp::from_millis(1_790_000_001_000),
    };
    Envelope::seal(&head, &*KEY).unwrap()
}

/// So many events, and heads after some of them.
fn record(events: u8, heads: &[u64], name: &str) -> Vec<Line> {
    let mut place = Seal::START;
    let mut lines = Vec::new();
    for number in 1..=events {
        let event = event(number, name);
        place = place.next(&event);
        lines.push(Line::Sealed(Sealed {
            seq: place.seq,
            hash: place.hash,
            event,
        }));
        if heads.contains(&place.seq) {
            lines.push(Line::Head(head(place)));
        }
    }
    lines
}

fn text(lines: &[Line]) -> Vec<Vec<u8>> {
    lines.iter().map(Line::to_bytes).collect()
}

fn walk(lines: &[Vec<u8>], earlier: &[Envelope]) -> Verified {
    let mut verifier = Verifier::new(KEY.public_key().clone());
    earlier.iter().for_each(|head| verifier.expect(head));
    lines.iter().for_each(|line| verifier.line(line));
    verifier.finish()
}

fn findings(lines: &[Line], earlier: &[Envelope]) -> Vec<Finding> {
    walk(&text(lines), earlier).findings
}

fn heads_of(lines: &[Line]) -> Vec<Envelope> {
    let heads = lines.iter().filter_map(|line| match line {
        Line::Head(head) => Some(head.clone()),
        _ => None,
    });
    heads.collect()
}

#[test]
fn an_untouched_record_is_intact() {
    let verified = walk(&text(&RECORD), &heads_of(&RECORD));
    assert_eq!(verified.findings, []);
    assert_eq!((verified.events, verified.heads), (20, 3));
    assert_eq!(verified.newest.unwrap().head.events, 20);
}

#[test]
fn every_event_that_was_changed_is_named_and_no_other() {
    let mut lines = RECORD.clone();
    for at in [2, 9] {
        let Line::Sealed(sealed) = &mut lines[at] else {
            panic!("an event");
        };
        sealed.event.detail.push(("more".to_owned(), String::new()));
    }
    // A head stands between the two.
    assert_eq!(
        findings(&lines, &[]),
        [Finding::Changed { seq: 3 }, Finding::Changed { seq: 9 }]
    );
}

#[test]
fn what_is_gone_swapped_or_doubled_is_named() {
    let mut gone = RECORD.clone();
    gone.drain(2..4);
    assert_eq!(findings(&gone, &[]), [Finding::Missing { from: 3, to: 4 }]);
    let mut swapped = RECORD.clone();
    swapped.swap(2, 3);
    assert_eq!(findings(&swapped, &[]), [Finding::Reordered { seq: 3 }]);
    let mut doubled = RECORD.clone();
    doubled.insert(4, RECORD[2].clone());
    let once_more = |from, to| Finding::Repeated { from, to };
    assert_eq!(findings(&doubled, &[]), [once_more(3, 3)]);
    // All of a part that was given after the one it belongs before.
    let behind = [&RECORD[..], &RECORD[..7]].concat();
    assert!(findings(&behind, &[]).contains(&once_more(1, 6)));
    let parts_and_again = [&behind[..], &RECORD[9..11]].concat();
    assert!(findings(&parts_and_again, &[]).contains(&once_more(9, 10)));
    let mut early = RECORD.clone();
    // The head after the fifth, before it.
    early.swap(4, 5);
    assert_eq!(findings(&early, &[]), [Finding::Reordered { seq: 5 }]);
}

#[test]
fn what_happened_long_before_a_head_that_stands_before_it_is_a_warning() {
    let mut place = Seal::START;
    let mut lines = Vec::new();
    for number in 1..=6 {
        let mut event = event(number, "lamp");
        // Ten minutes before the head was signed, and a little more.
        let early = if number == 4 { 599_000 } else { 600_000 };
        event.at = Timestamp::from_millis(1_790_000_001_000 - early - i64::from(number));
        place = place.next(&event);
        let (seq, hash) = (place.seq, place.hash);
        lines.push(Line::Sealed(Sealed { seq, hash, event }));
        if [2, 6].contains(&seq) {
            lines.push(Line::Head(head(place)));
        }
    }
    let late = |lines: &[Line], earlier: &[Envelope]| {
        let verified = walk(&text(lines), earlier);
        assert!(verified.is_intact(), "{verified:?}");
        let seqs = verified.warnings.iter().map(|it| it.seq().unwrap());
        seqs.collect::<Vec<_>>()
    };
    assert_eq!(late(&lines, &[]), [3, 5, 6]);
    // Where the file has no head before them, an earlier one tells; without any, nothing does.
    let Line::Head(kept) = lines.remove(2) else {
        panic!("a head");
    };
    assert_eq!(late(&lines, &[kept]), [3, 5, 6]);
    assert_eq!(late(&lines, &[]), [0; 0]);
}

#[test]
fn the_servers_own_alarm_in_a_record_that_holds_is_a_warning() {
    let mut alarm = event(2, "lamp");
    alarm.kind = "audit-chain-broken".to_owned();
    let mut place = Seal::START;
    let mut lines: Vec<_> = [event(1, "lamp"), alarm, event(3, "lamp")]
        .into_iter()
        .map(|event| {
            place = place.next(&event);
            let (seq, hash) = (place.seq, place.hash);
            Line::Sealed(Sealed { seq, hash, event })
        })
        .collect();
    lines.push(Line::Head(head(place)));
    let verified = walk(&text(&lines), &[]);
    assert!(verified.is_intact(), "{verified:?}");
    assert_eq!(verified.warnings, [Finding::Alarm { seq: 2 }]);
}

#[test]
fn a_record_that_ends_early_is_cut_off() {
    let covered = Finding::NoHeadAtTheEnd {
        covered: 12,
        last: 18,
    };
    // Without the last two events and the last head.
    let cut = &RECORD[..RECORD.len() - 3];
    assert_eq!(findings(cut, &[]), std::slice::from_ref(&covered));
    let end = heads_of(&RECORD).pop().unwrap();
    let known = Finding::CutOff { from: 19, to: 20 };
    assert_eq!(findings(cut, std::slice::from_ref(&end)), [covered, known]);
    // Where the end is a head, only an earlier head tells.
    let cut = &RECORD[..6];
    assert_eq!(findings(cut, &[]), []);
    assert_eq!(findings(cut, &[end]), [Finding::CutOff { from: 6, to: 20 }]);
    assert_eq!(findings(&[], &[]), [Finding::Empty]);
}

#[test]
fn a_record_that_was_signed_anew_does_not_fit_an_earlier_head() {
    let earlier = heads_of(&RECORD);
    let mut lines: Vec<_> = RECORD[..6].to_vec();
    let mut place = Seal::START;
    for line in &lines {
        if let Line::Sealed(sealed) = line {
            place.seq = sealed.seq;
            place.hash = sealed.hash;
        }
    }
    // The same key signs other events from the sixth on.
    for number in 6..=25 {
        let event = event(number, "forged");
        place = place.next(&event);
        lines.push(Line::Sealed(Sealed {
            seq: place.seq,
            hash: place.hash,
            event,
        }));
    }
    lines.push(Line::Head(head(place)));
    assert_eq!(findings(&lines, &[]), [], "by itself it holds");
    let rewritten = Finding::Rewritten {
        since: 5,
        until: 12,
    };
    assert_eq!(findings(&lines, &earlier), [rewritten]);
}

#[test]
fn heads_of_others_count_for_nothing() {
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    let Some(Line::Sealed(last)) = RECORD.iter().rev().nth(1) else {
        panic!("an event");
    };
    let forged = Head {
        tenant: "default".parse().unwrap(),
        tenant_id: TenantId::from_bytes([7; 16]),
        events: 20,
        hash: last.hash,
        at: Timestamp::from_millis(0),
    };
    let forged_head = Envelope::seal(&forged, &stranger).unwrap();
    let mut lines = RECORD.clone();
    *lines.last_mut().unwrap() = Line::Head(forged_head.clone());
    let forged_finding = Finding::ForgedHead { seq: Some(20) };
    let found = findings(&lines, &[]);
    assert!(found.contains(&forged_finding), "{found:?}");
    assert!(found.iter().any(|it| it.kind() == "no-head-at-the-end"));
    assert_eq!(findings(&RECORD, &[forged_head]), [forged_finding]);
    // A head of this key over another hash.
    let wrong = Seal {
        seq: 20,
        hash: Digest::of(b"other"),
    };
    *lines.last_mut().unwrap() = Line::Head(head(wrong));
    let found = findings(&lines, &[]);
    assert!(
        found.contains(&Finding::HeadMisfit { seq: 20 }),
        "{found:?}"
    );
}

#[test]
fn a_part_is_founded_on_what_comes_before_it_or_on_an_earlier_head() {
    let Line::Sealed(fifth) = &RECORD[4] else {
        panic!("an event");
    };
    let place = Seal {
        seq: fifth.seq,
        hash: fifth.hash,
    };
    let mut part = vec![Line::After(place.into())];
    part.extend_from_slice(&RECORD[6..]);
    let unfounded = Finding::NotFromTheStart { before: 5 };
    assert_eq!(findings(&part, &[]), std::slice::from_ref(&unfounded));
    assert_eq!(findings(&part, &heads_of(&RECORD)), []);
    assert_eq!(findings(&part, &heads_of(&RECORD)[1..]), [unfounded]);
    let both = [&RECORD[..6], &part].concat();
    assert_eq!(findings(&both, &[]), []);
    let wrong = Seal {
        hash: Digest::of(b"other"),
        ..place
    };
    part[0] = Line::After(wrong.into());
    let both = [&RECORD[..6], &part].concat();
    assert!(!findings(&both, &[]).is_empty());
}

#[test]
fn another_tenants_events_do_not_belong() {
    let mut lines = RECORD[..5].to_vec();
    let mut place = Seal::START;
    for line in &mut lines {
        let Line::Sealed(sealed) = line else { continue };
        if sealed.seq == 5 {
            sealed.event.tenant_id = TenantId::from_bytes([8; 16]);
        }
        place = place.next(&sealed.event);
        sealed.hash = place.hash;
    }
    lines.push(Line::Head(head(place)));
    let found = findings(&lines, &[]);
    assert_eq!(found, [Finding::AnotherTenant { seq: 5 }]);
}

/// What is done to a record.
#[derive(Debug, Clone)]
enum Harm {
    Flip { line: usize, at: usize, bit: u8 },
    Remove { line: usize, count: usize },
    Swap { one: usize, other: usize },
    Double { line: usize },
    CutAt { byte: usize },
}

fn any_harm() -> impl Strategy<Value = Harm> {
    let line = 0..RECORD.len();
    prop_oneof![
        (line.clone(), any::<usize>(), 0_u8..8).prop_map(|(line, at, bit)| Harm::Flip {
            line,
            at,
            bit
        }),
        (line.clone(), 1..4_usize).prop_map(|(line, count)| Harm::Remove { line, count }),
        (line.clone(), line.clone()).prop_map(|(one, other)| Harm::Swap { one, other }),
        line.prop_map(|line| Harm::Double { line }),
        any::<usize>().prop_map(|byte| Harm::CutAt { byte }),
    ]
}

fn harm(lines: &mut Vec<Vec<u8>>, harm: &Harm) {
    match *harm {
        Harm::Flip { line, at, bit } => {
            let at = at % lines[line].len();
            lines[line][at] ^= 1 << bit;
        }
        Harm::Remove { line, count } => {
            let end = (line + count).min(lines.len());
            lines.drain(line..end);
        }
        Harm::Swap { one, other } => lines.swap(one, other),
        Harm::Double { line } => lines.insert(line, lines[line].clone()),
        Harm::CutAt { byte } => {
            let whole = lines.concat();
            let kept = &whole[..byte % whole.len()];
            *lines = kept
                .split_inclusive(|it| *it == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
        }
    }
}

/// The events that lines hold, and the last line: that is what the record says.
fn says(lines: &[Vec<u8>]) -> (Vec<Option<Line>>, Option<Line>) {
    let read = |line: &Vec<u8>| serde_json::from_slice::<Line>(line).ok();
    // Heads on the way say nothing that the last one does not say.
    let all = lines.iter().map(read);
    let events = all.filter(|line| !matches!(line, Some(Line::Head(_))));
    (events.collect(), lines.last().and_then(read))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_harm_to_what_a_record_says_is_found(wanted in any_harm()) {
        let whole = text(&RECORD);
        let mut lines = whole.clone();
        harm(&mut lines, &wanted);
        let known = heads_of(&RECORD).pop().unwrap();
        let verified = walk(&lines, &[known]);
        if says(&lines) == says(&whole) {
            return Ok(());
        }
        prop_assert!(!verified.is_intact(), "{wanted:?}");
    }

    #[test]
    fn any_bytes_are_walked(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let verified = walk(&lines, &[]);
        prop_assert!(!verified.is_intact());
    }
}
