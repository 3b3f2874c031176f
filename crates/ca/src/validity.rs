//! From when to when a certificate is valid.

use std::time::Duration;

use enlist_core::Timestamp;
use enlist_pki::Certificate;

use crate::IssueRefusal;

/// How far before its issuing a certificate begins to be valid, for devices whose clocks
/// are behind.
pub const BACKDATED: Duration = Duration::from_secs(5 * 60);

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// Of 365.25 days.
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 3600 + 6 * 3600);

/// In unix seconds, both ends included.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub not_before: i64,
    pub not_after: i64,
}

impl Validity {
    /// `lifetime` from `now` on, and no longer than the issuer's.
    pub fn under(
        issuer: Option<&Certificate>,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Self, IssueRefusal> {
        if lifetime.as_secs() == 0 {
            return Err(IssueRefusal::NoLifetime);
        }
        let end = issuer.map_or(LATEST, Certificate::not_after).min(LATEST);
        if end <= now.as_secs() {
            return Err(IssueRefusal::IssuerExpired);
        }
        Ok(Self {
            not_before: (now - BACKDATED).as_secs(),
            not_after: (now + lifetime).as_secs().min(end),
        })
    }
}

/// 9999-12-31T23:59:59Z, the last moment X.509 can name.
const LATEST: i64 = 253_402_300_799;
