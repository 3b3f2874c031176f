//! What the caller says of the trace that its request is part of (W3C Trace Context).

use axum::http::HeaderMap;

/// The header.
const TRACEPARENT: &str = "traceparent";
/// The length of the header's first version: `00-` trace `-` parent `-` flags.
const LENGTH: usize = 55;
/// The flag that says that the caller traces it.
const SAMPLED: u8 = 1;

/// A trace that a request is part of. It is a stranger's word, and nothing is decided by it but what the
/// trace is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    trace: u128,
    parent: u64,
    flags: u8,
}

impl Caller {
    /// What the header says; `None` where there is none that makes sense.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(TRACEPARENT)?.as_bytes())
    }

    /// The trace's id, 32 hexadecimal digits.
    pub(crate) fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The id of the caller's span, 16 hexadecimal digits.
    pub(crate) fn parent_id(&self) -> String {
        format!("{:016x}", self.parent)
    }

    /// Whether the caller traces it.
    pub(crate) fn is_traced(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (first, later) = bytes.split_at_checked(LENGTH)?;
        let text = std::str::from_utf8(first).ok()?;
        let mut parts = text.split('-');
        let (version, trace) = (number(parts.next()?, 2)?, number(parts.next()?, 32)?);
        let (parent, flags) = (number(parts.next()?, 16)?, number(parts.next()?, 2)?);
        let goes_on = later.first().is_some_and(|byte| *byte == b'-');
        // Later versions may add to it, and 255 is none.
        let ends_well = later.is_empty() || (version > 0 && goes_on);
        if parts.next().is_some() || version == 0xff || trace == 0 || parent == 0 || !ends_well {
            return None;
        }
        Some(Self {
            trace,
            parent: u64::try_from(parent).ok()?,
            flags: u8::try_from(flags).ok()?,
        })
    }
}

/// So many hexadecimal digits, small letters alone.
fn number(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let fits = text.len() == digits && text.bytes().all(is_digit);
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_a_caller_says_is_read() {
        let caller = Caller::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(caller.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(caller.parent_id(), "00f067aa0ba902b7");
        assert!(caller.is_traced());
        let not = GOOD.replace("-01", "-00");
        assert!(!Caller::parse(not.as_bytes()).unwrap().is_traced());
        let later = format!("01{}-more", &GOOD[2..]);
        assert_eq!(Caller::parse(later.as_bytes()), Some(caller));
    }

    #[test]
    fn what_makes_no_sense_counts_as_nothing_said() {
        for length in 0..GOOD.len() {
            assert_eq!(Caller::parse(&GOOD.as_bytes()[..length]), None, "{length}");
        }
        for bad in [
            format!("{GOOD}-more"),
            GOOD.replace("4bf9", "4BF9"),
            GOOD.replace("00-4", "ff-4"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GOOD.replace("-00f0", "+00f0"),
            GOOD.replace("4bf9", "é9"),
        ] {
            assert_eq!(Caller::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
