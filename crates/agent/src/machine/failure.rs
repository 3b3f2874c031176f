use std::time::Duration;

use enlist_core::DeviceId;
use enlist_wire::{ClientError, Problem};

use crate::explain;

/// Why a step came to nothing, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to do about it.
    pub verdict: Verdict,
    /// What happened, for people.
    pub message: String,
    /// The slug of the server's problem, where it told one.
    pub slug: Option<String>,
}

/// What a failure means for what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again soon; after this long, where the server says so.
    Retry(Option<Duration>),
    /// Nothing here can change it; ask again from time to time, in case somebody does.
    GiveUp,
    /// The certificate has expired: prove the device by token and key.
    Expired,
    /// This key and token are enrolled already, as this device.
    Known(DeviceId),
    /// The server has no credential of this device any more: it was deprovisioned, or deleted.
    Gone,
    /// The server's chain is wrong in its dates alone: one of the two clocks is.
    Dates,
}

impl Failure {
    /// One that may pass by itself.
    #[must_use]
    pub fn retry(message: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Retry(None),
            message: message.into(),
            slug: None,
        }
    }

    /// One that stays until somebody does something about it.
    #[must_use]
    pub fn give_up(message: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::GiveUp,
            message: message.into(),
            slug: None,
        }
    }

    /// The device is suspended.
    #[must_use]
    pub fn suspended() -> Self {
        Self {
            slug: Some("device-suspended".into()),
            ..Self::give_up("the device is suspended: an operator can resume it")
        }
    }

    /// The device is on its way out, and was not given a good order for it yet.
    #[must_use]
    pub fn decommissioning() -> Self {
        Self {
            slug: Some("device-decommissioning".into()),
            ..Self::give_up("the device is being decommissioned, and waits for the signed order")
        }
    }

    /// The device is on other hardware, and the group wants no credential used then.
    #[must_use]
    pub fn other_hardware(is: &str) -> Self {
        Self {
            slug: Some("hardware-changed".into()),
            ..Self::give_up(format!(
                "this is other hardware ({is}) than the device enrolled on, and its group forbids \
                 going on: put the disk back, or empty the persistent directory and enroll anew"
            ))
        }
    }

    /// Whether it came of the dates of the server's certificates alone.
    #[must_use]
    pub fn is_about_dates(&self) -> bool {
        self.verdict == Verdict::Dates
    }

    /// Whether it may be over by the next time without anybody's doing.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self.verdict, Verdict::Retry(_) | Verdict::Dates)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let verdict = match &error {
            ClientError::Problem(problem) => verdict(problem),
            error if error.certificate_refused_as_expired() => Verdict::Expired,
            error if error.server_certificate_refused_for_its_dates() => Verdict::Dates,
            ClientError::BadUrl(_) | ClientError::BadToken | ClientError::Unwritable(_) => {
                Verdict::GiveUp
            }
            // Whatever else it is, it may be over by the next time: a proxy, a portal, a server that
            // is being moved, a clock that is being set.
            error => Verdict::Retry(error.retry_after()),
        };
        let mut message = explain(&error);
        if matches!(error, ClientError::Tls(_)) {
            message += match verdict {
                Verdict::Expired => "",
                Verdict::Dates => " (see that the clock here is right, and the server's)",
                _ => " (see that server_url and the trust anchors belong together)",
            };
        }
        Self {
            verdict,
            message,
            slug: error.problem().map(|problem| problem.slug().to_owned()),
        }
    }
}

fn verdict(problem: &Problem) -> Verdict {
    let retry_after = problem.retry_after_s.map(Duration::from_secs);
    let device_id = || problem.extensions.get("device_id")?.as_str()?.parse().ok();
    match (problem.slug(), problem.status) {
        ("certificate-expired", _) => Verdict::Expired,
        ("already-enrolled", _) => device_id().map_or(Verdict::GiveUp, Verdict::Known),
        ("no-credential", _) => Verdict::Gone,
        // A nonce and a challenge are short-lived; the next one may do.
        ("bad-nonce" | "challenge-invalid" | "challenge-used", _) => Verdict::Retry(retry_after),
        (_, 408 | 425 | 429 | 500..) => Verdict::Retry(retry_after),
        _ if retry_after.is_some() => Verdict::Retry(retry_after),
        _ => Verdict::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(slug: &str, status: u16, change: impl FnOnce(&mut Problem)) -> Verdict {
        let mut problem = Problem::new(slug, status, "Refused", "It was refused.");
        change(&mut problem);
        Failure::from(ClientError::Problem(Box::new(problem))).verdict
    }

    #[test]
    fn what_passes_is_retried_and_what_stays_is_given_up() {
        assert_eq!(of("internal", 500, |_| {}), Verdict::Retry(None));
        assert_eq!(of("too-many", 429, |_| {}), Verdict::Retry(None));
        assert_eq!(
            of("busy", 429, |problem| problem.retry_after_s = Some(1)),
            Verdict::Retry(Some(Duration::from_secs(1)))
        );
        assert_eq!(
            of("storage-unavailable", 503, |problem| problem
                .retry_after_s =
                Some(7)),
            Verdict::Retry(Some(Duration::from_secs(7)))
        );
        for slug in ["bad-nonce", "challenge-invalid", "challenge-used"] {
            assert_eq!(of(slug, 403, |_| {}), Verdict::Retry(None));
        }
        for slug in [
            "device-suspended",
            "certificate-revoked",
            "tombstoned",
            "attestation-required",
            "attestation-unknown-manufacturer",
            "attested-already-enrolled",
        ] {
            assert_eq!(of(slug, 403, |_| {}), Verdict::GiveUp);
        }
    }

    #[test]
    fn an_enrolled_device_is_known_only_by_its_id() {
        assert_eq!(of("already-enrolled", 409, |_| {}), Verdict::GiveUp);
        let id = DeviceId::from_bytes([7; 16]);
        let known = of("already-enrolled", 409, |problem| {
            problem
                .extensions
                .insert("device_id".into(), id.to_string().into());
        });
        assert_eq!(known, Verdict::Known(id));
    }
}
