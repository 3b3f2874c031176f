//! What the documentation shows of an exported record holds.
#![allow(clippy::unwrap_used)]

use enlist_core::Seal;
use enlist_signed::audit::Line;

/// What stands in the documentation in a block of this kind.
fn documented(kind: &str) -> String {
    let text = include_str!("../../../docs/audit.md");
    let (_, block) = text.split_once(&format!("```{kind}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_documented_example_holds_byte_for_byte() {
    let mut place = Seal::START;
    let mut last = None;
    for line in documented("jsonl").lines() {
        let Line::Sealed(sealed) = serde_json::from_str(line).unwrap() else {
            panic!("an event");
        };
        place = place.next(&sealed.event);
        assert_eq!((place.seq, place.hash), (sealed.seq, sealed.hash));
        // Written again it is the same line.
        let again = Line::Sealed(sealed.clone()).to_bytes();
        assert_eq!(String::from_utf8(again).unwrap().trim_end(), line);
        last = Some(sealed.event);
    }
    let hex: String = documented("hex").split_whitespace().collect();
    assert_eq!(enlist_core::lower_hex(&last.unwrap().canonical()), hex);
}
