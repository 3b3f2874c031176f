use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time on the wire: RFC 3339 text in UTC, such as `2026-11-05T08:00:00Z`.
///
/// Held as milliseconds since the Unix epoch; written with milliseconds only where there are some.
/// Years 0000 to 9999 can be written, and whatever lies outside is clamped to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Time(i64);

/// The text is not a time in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time in RFC 3339, such as 2026-11-05T08:00:00Z")]
pub struct BadTime;

const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;
const DAY_MS: i64 = 86_400_000;

impl Time {
    /// The time so many milliseconds after the Unix epoch.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST, LAST))
    }

    /// The time so many seconds after the Unix epoch, as certificates count it.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY_MS));
        let in_day = self.0.rem_euclid(DAY_MS);
        let (secs, millis) = (in_day / 1000, in_day % 1000);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if millis > 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Time {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        parse(text.as_bytes()).map(Self::from_millis).ok_or(BadTime)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

fn parse(text: &[u8]) -> Option<i64> {
    let (date, time) = (text.get(..10)?, text.get(11..19)?);
    let separators = [
        date[4],
        date[7],
        text[10].to_ascii_uppercase(),
        time[2],
        time[5],
    ];
    if separators != *b"--T::" {
        return None;
    }
    let (year, month, day) = (
        digits(&date[..4])?,
        digits(&date[5..7])?,
        digits(&date[8..])?,
    );
    let (hour, minute) = (digits(&time[..2])?, digits(&time[3..5])?);
    // A leap second is read as the last second before it.
    let second = digits(&time[6..])?;
    if second > 60 || minute > 59 || hour > 23 || days_from_civil(year, month, day).is_none() {
        return None;
    }
    let (millis, rest) = fraction(&text[19..])?;
    let offset_minutes = offset(rest)?;
    let days = days_from_civil(year, month, day)?;
    let minutes = days * 1440 + hour * 60 + minute - offset_minutes;
    Some((minutes * 60 + second.min(59)) * 1000 + millis)
}

/// Milliseconds of a fraction of a second (what is finer is cut off), and what follows it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let len = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (fraction, rest) = text.split_at(len);
    if fraction.is_empty() {
        return None;
    }
    let millis = (0..3).fold(0, |sum, at| {
        sum * 10 + fraction.get(at).map_or(0, |c| i64::from(c - b'0'))
    });
    Some((millis, rest))
}

/// Minutes east of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (digits(&rest[..2])?, digits(&rest[3..])?);
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, c| {
        c.is_ascii_digit().then(|| sum * 10 + i64::from(c - b'0'))
    })
}

/// The date of a day counted from the epoch, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 1 March of year 0, so that the leap day is the last of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since the epoch; `None` where there is no such date.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_back() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_793_865_600_250, "2026-11-05T08:00:00.250Z"),
            (FIRST, "0000-01-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Time::from_millis(millis).to_string(), text);
            assert_eq!(text.parse(), Ok(Time::from_millis(millis)));
        }
    }

    #[test]
    fn every_day_of_four_centuries_survives_the_round_trip() {
        for day in 0..146_097 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days_from_civil(year, month, of_month), Some(day));
        }
    }

    #[test]
    fn offsets_and_fractions_are_understood() {
        let time: Time = "2026-11-05T09:30:00.1234567+01:30".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-05T08:00:00.123Z");
        let time: Time = "2026-11-05t07:59:60-00:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-05T07:59:59Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-11-05",
            "2026-11-05T08:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-05T24:00:00Z",
            "2026-11-05T08:00:00.Z",
            "2026-11-05T08:00:00Zx",
            "2026-11-05T08:00:00+24:00",
            "2026-11-05 08:00:00Z",
            "２026-11-05T08:00:00Z",
        ] {
            assert_eq!(text.parse::<Time>(), Err(BadTime), "{text}");
        }
    }

    #[test]
    fn times_beyond_the_format_are_clamped() {
        assert_eq!(Time::from_secs(i64::MAX).as_millis(), LAST);
        assert_eq!(Time::from_millis(i64::MIN).as_millis(), FIRST);
    }
}
