//! Exported records of events.

use enlist_pki::PublicKey;
use enlist_signed::audit::{Line, Verified, Verifier};

/// Where the audit key ends, and the record begins.
const END: &[u8] = b"-----END PUBLIC KEY-----\n";

/// Reads an audit key (PEM) and the record that follows it. One that is taken is intact; it is as intact
/// when it is written again, and not any more without any of its events, or without its end.
///
/// # Panics
/// When it is otherwise.
pub fn audit(data: &[u8]) -> bool {
    let Some(at) = data.windows(END.len()).position(|bytes| bytes == END) else {
        return false;
    };
    let (pem, record) = data.split_at(at + END.len());
    let Some(key) = std::str::from_utf8(pem)
        .ok()
        .and_then(|pem| PublicKey::from_pem(pem).ok())
    else {
        return false;
    };
    let verified = walk(&key, record.split_inclusive(|byte| *byte == b'\n'));
    if !verified.is_intact() {
        return false;
    }
    let lines: Vec<Line> = record
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| serde_json::from_slice(line).expect("what is intact can be read"))
        .collect();
    let written: Vec<_> = lines.iter().map(Line::to_bytes).collect();
    let without = |left: usize| {
        let rest = written.iter().enumerate().filter(|(at, _)| *at != left);
        walk(&key, rest.map(|(_, line)| &line[..]))
    };
    let again = walk(&key, written.iter().map(|line| &line[..]));
    assert!(again.is_intact());
    assert_eq!(
        (again.events, again.heads),
        (verified.events, verified.heads)
    );
    let newest = verified.newest.expect("what is intact ends with a head");
    assert_eq!(newest.head.events, verified.events, "it is from the start");
    for (at, line) in lines.iter().enumerate() {
        if matches!(line, Line::Sealed(_)) {
            assert!(!without(at).is_intact(), "an event can't be left out");
        }
    }
    let end = lines
        .iter()
        .rposition(|line| matches!(line, Line::Sealed(_)));
    let end = end.map_or(0, |at| at + 1);
    let cut = walk(&key, written[..end].iter().map(|line| &line[..]));
    assert!(!cut.is_intact(), "the end says that it is the end");
    true
}

fn walk<'a>(key: &PublicKey, lines: impl Iterator<Item = &'a [u8]>) -> Verified {
    let mut verifier = Verifier::new(key.clone());
    lines.for_each(|line| verifier.line(line));
    verifier.finish()
}
