//! Spans of time as people type them.

/// A span of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub u64);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let each = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(rule()),
        };
        let count: u64 = digits.parse().map_err(|_| rule())?;
        count
            .checked_mul(each)
            .filter(|seconds| *seconds <= i64::MAX as u64 / 1000)
            .map(Self)
            .ok_or_else(rule)
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (each, unit) in [(86_400, "day"), (3600, "hour"), (60, "minute")] {
            if self.0 >= each && self.0.is_multiple_of(each) {
                let count = self.0 / each;
                let plural = if count == 1 { "" } else { "s" };
                return write!(f, "{count} {unit}{plural}");
            }
        }
        write!(f, "{} seconds", self.0)
    }
}

fn rule() -> String {
    "write a number of seconds, or a number and s, m, h or d, such as 90m or 30d".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_with_and_without_a_unit() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90m", 5400),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Span(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "1w",
            "-1",
            "1.5h",
            "99999999999999999999d",
            "18446744073709551615",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_told_in_their_largest_whole_unit() {
        assert_eq!(Span(86_400).to_string(), "1 day");
        assert_eq!(Span(5400).to_string(), "90 minutes");
        assert_eq!(Span(61).to_string(), "61 seconds");
    }
}
