//! When things are due.

use std::time::Duration;

use enlist_core::{Digest, Rng, Timestamp};

use super::backoff;
use super::{Identity, Settings};

/// When to renew: at two thirds of the lifetime, or when less than the configured threshold is left,
/// and a little later on some devices than on others, so that a fleet that enrolled at once does not
/// renew at once. `None` without a certificate.
///
/// The spread follows from device and certificate, so it is the same after every restart.
pub(super) fn renewal(
    settings: &Settings,
    identity: &Identity,
    now: Timestamp,
) -> Option<Timestamp> {
    let validity = identity.validity.as_ref()?;
    let (start, end) = validity.by_the_clock(now);
    if identity.pre_enrolled {
        return Some(start);
    }
    let lifetime = end.since(start);
    // A threshold beyond the lifetime would renew without end.
    let threshold = settings
        .refresh_threshold
        .unwrap_or(lifetime / 3)
        .min(lifetime * 9 / 10);
    let spread = (threshold / 4).min(lifetime / 20);
    let share = share(format!("{} {}", identity.device_id, validity.serial).as_bytes());
    Some(end - threshold + spread.mul_f64(share))
}

/// How long to wait after a refusal that only an operator can lift: the polling interval, up to a
/// tenth more.
pub(super) fn polling(settings: &Settings, rng: &dyn Rng) -> Duration {
    let interval = settings.polling_interval;
    interval + backoff::random_below(interval / 10, rng)
}

/// A number from 0 to 1 that follows from `bytes`.
fn share(bytes: &[u8]) -> f64 {
    let digest = Digest::of(bytes);
    let [a, b, ..] = *digest.as_bytes();
    f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use enlist_core::DeviceId;

    use super::super::Validity;
    use super::*;

    const HOUR: i64 = 3600;

    fn due(id: u8, lifetime_h: i64, threshold_h: Option<u64>) -> i64 {
        let settings = Settings {
            tenant: "default".into(),
            group: "default".into(),
            name: None,
            hardware: None,
            refresh_threshold: threshold_h.map(|h| Duration::from_secs(h * 3600)),
            polling_interval: Duration::from_secs(3600),
            pre_enrolled: None,
            may_enroll: false,
            attests: false,
            changed_hardware: None,
        };
        let identity = Identity {
            device_id: DeviceId::from_bytes([id; 16]),
            tenant: "default".into(),
            group: "default".into(),
            name: "press-1".into(),
            slot: 1,
            previous: None,
            validity: Some(Validity {
                serial: "01".into(),
                not_before: 0,
                not_after: lifetime_h * HOUR,
                skew: 0,
            }),
            counter: 0,
            confirmed: true,
            pre_enrolled: false,
            announce: false,
            renewal: None,
        };
        renewal(&settings, &identity, Timestamp::from_secs(0))
            .unwrap()
            .as_secs()
    }

    #[test]
    fn renewal_is_due_at_two_thirds_of_the_lifetime_and_spread_over_a_twentieth() {
        let all: Vec<i64> = (0..=255).map(|id| due(id, 168, None)).collect();
        let (first, last) = (*all.iter().min().unwrap(), *all.iter().max().unwrap());
        assert!(first >= 112 * HOUR, "{first}");
        assert!(last <= (112 + 9) * HOUR, "{last}");
        assert!(last - first > 7 * HOUR, "they are spread: {first} {last}");
    }

    #[test]
    fn a_configured_threshold_counts_from_the_end() {
        for id in 0..=255 {
            let due = due(id, 168, Some(24));
            assert!((144 * HOUR..=150 * HOUR).contains(&due), "{due}");
        }
    }

    #[test]
    fn a_threshold_beyond_the_lifetime_does_not_renew_without_end() {
        for id in 0..=255 {
            assert!(due(id, 10, Some(24)) >= HOUR);
        }
    }
}
