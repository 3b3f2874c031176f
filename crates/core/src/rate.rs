//! How many in how long a time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{FAR_AHEAD, Timestamp};

/// So many devices in so long a time: that many at once, and no more than that in each such time on
/// average (the generic cell rate algorithm, ITU-T I.371). In any one such time fewer than twice as many
/// come through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    devices: u32,
    per: Duration,
}

/// Numbers or a text that are no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rate is 1 to 1000000 devices in 1 second to 366 days: write one such as 100/h, 5/10m or 1000/d"
)]
pub struct InvalidRate;

impl Rate {
    /// `devices` in each `per`, whole seconds.
    ///
    /// # Errors
    /// When there are none or too many, or the time is too short or too long.
    pub fn new(devices: u32, per: Duration) -> Result<Self, InvalidRate> {
        let lawful = (1..=1_000_000).contains(&devices)
            && per.subsec_nanos() == 0
            && (1..=366 * 86_400).contains(&per.as_secs());
        lawful.then_some(Self { devices, per }).ok_or(InvalidRate)
    }

    /// How many devices.
    pub fn devices(&self) -> u32 {
        self.devices
    }

    /// In how long a time.
    pub fn per(&self) -> Duration {
        self.per
    }

    /// How long one device uses it up, in microseconds.
    pub fn interval_us(&self) -> i64 {
        self.per_us() / i64::from(self.devices)
    }

    /// How far ahead of the time it may be used up for one more device to come in, in microseconds.
    pub fn slack_us(&self) -> i64 {
        self.interval_us() * i64::from(self.devices - 1)
    }

    /// Whether one more device may come in at `now`, where it is used up until `until_us` (microseconds
    /// since the epoch).
    ///
    /// # Errors
    /// After how long it may.
    pub fn admits(&self, until_us: i64, now: Timestamp) -> Result<(), Duration> {
        // No use up to now has led to that, by any clock that is about right: it begins anew.
        if until_us.saturating_sub(self.per_us()) > micros(now + FAR_AHEAD) {
            return Ok(());
        }
        let wait = until_us.saturating_sub(self.slack_us()) - micros(now);
        match u64::try_from(wait) {
            Ok(0) | Err(_) => Ok(()),
            Ok(wait) => Err(Duration::from_micros(wait)),
        }
    }

    fn per_us(&self) -> i64 {
        i64::try_from(self.per.as_micros()).unwrap_or(i64::MAX)
    }
}

/// A moment in microseconds since the epoch.
pub fn micros(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(1000)
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

impl FromStr for Rate {
    type Err = InvalidRate;

    /// Reads `100/h`, `5/10m`.
    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (devices, per) = text.split_once('/').ok_or(InvalidRate)?;
        let count = per.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let unit = &per[count.len()..];
        let (_, each) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or(InvalidRate)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(devices) || !digits(count) {
            return Err(InvalidRate);
        }
        let count = match count {
            "" => 1,
            count => count.parse::<u64>().map_err(|_| InvalidRate)?,
        };
        let seconds = count.checked_mul(each).ok_or(InvalidRate)?;
        let devices = devices.parse().map_err(|_| InvalidRate)?;
        Self::new(devices, Duration::from_secs(seconds))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        for (unit, each) in UNITS {
            if seconds.is_multiple_of(each) {
                let count = seconds / each;
                return match count {
                    1 => write!(f, "{}/{unit}", self.devices),
                    _ => write!(f, "{}/{count}{unit}", self.devices),
                };
            }
        }
        write!(f, "{}/{seconds}s", self.devices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_as_they_are_written() {
        for text in ["100/h", "5/10m", "1/s", "1000000/s", "3/2d", "7/90s"] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), text);
        }
        assert_eq!("100/60m".parse::<Rate>(), "100/h".parse());
        for text in [
            "",
            "100",
            "/h",
            "100/",
            "0/h",
            "100/w",
            "-1/h",
            "+1/h",
            "1/0s",
            "1/367d",
            "1000001/h",
            "1/-1h",
            "1/+1h",
            "1.5/h",
            "1/h/h",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    /// Uses the rate up as the store does; says how many came in.
    fn come(rate: Rate, until: &mut i64, at: Timestamp, many: usize) -> usize {
        (0..many)
            .filter(|_| {
                let may = rate.admits(*until, at).is_ok();
                if may {
                    *until = (*until).max(micros(at)) + rate.interval_us();
                }
                may
            })
            .count()
    }

    #[test]
    fn as_many_at_once_as_it_says_and_one_more_each_interval() {
        for (devices, seconds) in [(3, 10), (100, 3600), (7, 1), (1, 60), (1_000_000, 1)] {
            let rate = Rate::new(devices, Duration::from_secs(seconds)).unwrap();
            let many = devices as usize;
            let (mut until, begin) = (0, Timestamp::from_secs(1_800_000_000));
            assert_eq!(come(rate, &mut until, begin, many + 5), many);
            let wait = rate.admits(until, begin).unwrap_err();
            assert!(wait <= rate.per());
            // Once all of the time has passed, all of them may come again.
            let later = begin + rate.per();
            assert_eq!(come(rate, &mut until, later, 2 * many + 5), many);
        }
        let rate: Rate = "2/10s".parse().unwrap();
        let begin = Timestamp::from_secs(1_800_000_000);
        let ahead = |by: Duration| micros(begin + by + rate.per());
        let slow = rate.admits(ahead(FAR_AHEAD), begin);
        assert!(slow.is_err(), "another server's clock may be ahead");
        let years = FAR_AHEAD + Duration::from_secs(1);
        assert_eq!(rate.admits(ahead(years), begin), Ok(()), "but not by that");
        let (mut until, begin) = (0, Timestamp::from_secs(1_800_000_000));
        assert_eq!(come(rate, &mut until, begin, 9), 2);
        let second = Duration::from_secs(1);
        assert_eq!(rate.admits(until, begin + second), Err(4 * second));
        assert_eq!(come(rate, &mut until, begin + 5 * second, 9), 1);
    }
}
