//! Requests of webhooks and hooks, verified as a receiver does (Standard Webhooks 1.0.0, `v1`).

use std::time::Duration;

use aws_lc_rs::hmac;
use base64ct::{Base64, Encoding};
use enlist_core::Timestamp;

use crate::Received;

/// How far the time of a request may be off.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A request that was not signed with the secret, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignature {
    /// No signature of those given fits.
    Wrong,
    /// It is a replay, or a clock is off.
    Stale,
}

impl Received {
    /// Verifies it by its three headers; `secret` is `whsec_…`.
    pub fn verify(&self, secret: &str, now: Timestamp) -> Result<(), BadSignature> {
        let secret = secret.strip_prefix("whsec_").expect("a signing secret");
        let key = Base64::decode_vec(secret).expect("a secret in base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let head = format!("{}.{}.", self.id, self.timestamp);
        let message = [head.as_bytes(), &self.body].concat();
        let fits = |signature: &str| {
            let tag = signature.strip_prefix("v1,");
            tag.and_then(|tag| Base64::decode_vec(tag).ok())
                .is_some_and(|tag| hmac::verify(&key, &message, &tag).is_ok())
        };
        if !self.signature.split(' ').any(fits) {
            return Err(BadSignature::Wrong);
        }
        let at = self.timestamp.parse().map_err(|_| BadSignature::Stale)?;
        let at = Timestamp::from_secs(at);
        if at.since(now).max(now.since(at)) > TOLERANCE {
            return Err(BadSignature::Stale);
        }
        Ok(())
    }
}
