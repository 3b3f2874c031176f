//! What the devices are to do, and when.

use std::time::Duration;

use enlist_core::Rng;
use serde::Serialize;

use super::device::{Device, Goal, Shift};
use super::phase::Due;

/// What the devices do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// All enroll
    LaunchDay,
    /// An enrolled fleet polls and renews as it is due, in compressed time
    Steady,
    /// All renew within a short while
    RenewalStorm,
    /// All come back within a short while, and one in ten is due to renew
    PowerCut,
}

/// The numbers behind it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Devices that begin to enroll, a second, once the line runs; `None` for as many as there can be.
    pub rate: Option<f64>,
    /// Within which time all come.
    pub window: Duration,
    /// How many times as fast as the system's the clocks of a steady fleet run.
    pub factor: u32,
    /// How often a device polls, by its own clock.
    pub polling: Duration,
}

/// How long a line takes until it runs at its full rate.
const RAMP_S: f64 = 10.0;
/// Of so many devices, one is due to renew when the power comes back.
const RENEWS: u32 = 10;

impl Profile {
    /// Whether the fleet is enrolled before it begins.
    pub fn needs_fleet(self) -> bool {
        self != Self::LaunchDay
    }

    /// Whether its devices go on until the time is over, and none comes to an end.
    pub fn is_endless(self) -> bool {
        self == Self::Steady
    }

    /// Tells each device what it is to come to, and when it begins.
    pub fn arrange(self, devices: Vec<Device>, plan: &Plan, rng: &dyn Rng) -> Vec<Due> {
        let arrange = |mut device: Device| {
            let (at, goal, shift) = match self {
                Self::LaunchDay => (plan.start(device.index()), Goal::Settled, None),
                Self::Steady => {
                    let share = share(rng);
                    let factor = plan.factor;
                    let at = plan.polling.mul_f64(self::share(rng)) / factor.max(1);
                    (at, Goal::Endless, Some(Shift { share, factor }))
                }
                Self::RenewalStorm => {
                    let at = plan.window.mul_f64(share(rng));
                    (at, Goal::Renewed, Some(DUE))
                }
                Self::PowerCut => {
                    device.cut_power();
                    let at = plan.window.mul_f64(share(rng));
                    if device.index().is_multiple_of(RENEWS) {
                        (at, Goal::Renewed, Some(DUE))
                    } else {
                        (at, Goal::Settled, None)
                    }
                }
            };
            device.aim(goal, shift);
            Due { at, device }
        };
        devices.into_iter().map(arrange).collect()
    }
}

/// The time of the renewal has come, and a little more: fractions of a second get lost.
const DUE: Shift = Shift {
    share: 1.000_1,
    factor: 1,
};

impl Plan {
    /// When the device of this number begins to enroll: the line starts slowly, and gets faster for the first
    /// seconds until it runs at its rate.
    fn start(&self, index: u32) -> Duration {
        let Some(rate) = self.rate else {
            return Duration::ZERO;
        };
        let index = f64::from(index);
        let in_ramp = rate * RAMP_S / 2.0;
        Duration::from_secs_f64(if index < in_ramp {
            (2.0 * index * RAMP_S / rate).sqrt()
        } else {
            RAMP_S + (index - in_ramp) / rate
        })
    }
}

/// A random number from 0 to 1.
fn share(rng: &dyn Rng) -> f64 {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use enlist_core::SystemRng;

    use super::*;

    fn plan(rate: Option<f64>) -> Plan {
        Plan {
            rate,
            window: Duration::from_secs(60),
            factor: 60,
            polling: Duration::from_secs(3600),
        }
    }

    #[test]
    fn a_line_starts_slowly_and_then_runs_at_its_rate() {
        let plan = plan(Some(100.0));
        let begun = |second: u64| {
            let until = Duration::from_secs(second);
            (0..10_000).filter(|n| plan.start(*n) < until).count()
        };
        let each: Vec<usize> = (1..=15).map(|s| begun(s) - begun(s - 1)).collect();
        assert!(each[0] <= 6, "{each:?}");
        assert!(each[..10].is_sorted(), "{each:?}");
        assert!(
            each[11..].iter().all(|count| (99..=101).contains(count)),
            "{each:?}"
        );
    }

    #[test]
    fn whoever_comes_back_does_so_within_the_window() {
        let devices = || {
            let new = |n| Device::new(n, &std::sync::Arc::default());
            (0..200).map(new).collect()
        };
        for profile in [Profile::PowerCut, Profile::RenewalStorm, Profile::Steady] {
            let due = profile.arrange(devices(), &plan(None), &SystemRng);
            let at: Vec<_> = due.iter().map(|due| due.at).collect();
            let (first, last) = (at.iter().min().unwrap(), at.iter().max().unwrap());
            assert!(*last <= Duration::from_secs(60), "{profile:?}: {last:?}");
            assert!(*last - *first > Duration::from_secs(30), "they are spread");
        }
    }
}
