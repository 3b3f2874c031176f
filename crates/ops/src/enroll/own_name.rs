//! The name of a newcomer that brings none.

use enlist_core::{Name, lower_hex};

use super::Asked;

/// A name for one that brings none: after its hardware, else after its key. Somebody else may have taken
/// that, but not the other one, which nobody knows before.
pub(super) fn own_name(asked: &Asked, other: bool) -> Name {
    let key = asked.key.as_bytes();
    let short = match asked.attested().as_ref().or(asked.hardware.as_ref()) {
        Some(hardware) => hardware.short(),
        None => lower_hex(&key[..6]),
    };
    let tail = match other {
        true => format!("-{}", lower_hex(&key[6..14])),
        false => String::new(),
    };
    Name::nearest(&format!("device-{short}{tail}")).expect("a word of letters and digits is left")
}
