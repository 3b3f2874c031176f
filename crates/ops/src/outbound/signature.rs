//! How requests to others are signed: Standard Webhooks 1.0.0, symmetric (`v1`).
//!
//! `webhook-signature` is a list, by spaces, of `v1,` and the base64 of HMAC-SHA256 over
//! `webhook-id`, `.`, `webhook-timestamp`, `.`, body. There is one a secret that is good at the time.

use std::fmt;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use enlist_core::{Rng, Timestamp};
use enlist_keys::mac::MacKey;
use enlist_keys::{WrappingKey, WrappingKeyError};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// What a secret is sealed as.
const LABEL: &str = "outbound signing";
/// How far the time of a request may be off where it is verified.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A secret that the server and one receiver share: 256 random bits.
pub struct SigningSecret(MacKey);

/// A request that was not signed with the secret, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// No signature of those given fits.
    #[error("the request was signed with another secret, or changed since")]
    Wrong,
    /// It is a replay, or a clock is off.
    #[error("the request's time is more than five minutes off")]
    Stale,
}

impl SigningSecret {
    /// Makes a new one.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(MacKey::generate(rng))
    }

    /// Reads the text form, `whsec_` and base64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Base64::decode_vec(text.strip_prefix(PREFIX)?).ok()?;
        MacKey::from_bytes(&Zeroizing::new(bytes)).map(Self)
    }

    /// The text form, to be shown once.
    pub fn to_text(&self) -> SecretString {
        let bytes = Zeroizing::new(Base64::encode_string(self.0.to_bytes().expose_secret()));
        format!("{PREFIX}{}", *bytes).into()
    }

    /// Seals it, to be kept.
    ///
    /// # Errors
    /// The library's; none that is known.
    pub fn seal(&self, wrapping: &WrappingKey, rng: &dyn Rng) -> Result<Vec<u8>, WrappingKeyError> {
        wrapping.seal(LABEL, self.0.to_bytes().expose_secret(), rng)
    }

    /// Opens what was kept.
    ///
    /// # Errors
    /// It was sealed under another key, or as something else.
    pub fn open(wrapping: &WrappingKey, sealed: &[u8]) -> Result<Self, WrappingKeyError> {
        let bytes = wrapping.open(LABEL, sealed)?;
        MacKey::from_bytes(bytes.expose_secret())
            .map(Self)
            .ok_or(WrappingKeyError::NotWrapped)
    }

    /// The signature of a request, `v1,…`. `id` holds no dot.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let tag = self.0.sign(&signed(id, &at.as_secs().to_string(), body));
        format!("v1,{}", Base64::encode_string(&tag))
    }

    /// Verifies a request by its three headers, as a receiver does.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signatures: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), BadSignature> {
        let message = signed(id, timestamp, body);
        let fits = |signature: &str| {
            let tag = signature.strip_prefix("v1,");
            tag.and_then(|tag| Base64::decode_vec(tag).ok())
                .is_some_and(|tag| self.0.verify(&message, &tag))
        };
        if !signatures.split(' ').any(fits) {
            return Err(BadSignature::Wrong);
        }
        let at = timestamp.parse().map_err(|_| BadSignature::Stale)?;
        let at = Timestamp::from_secs(at);
        if at.since(now).max(now.since(at)) > TOLERANCE {
            return Err(BadSignature::Stale);
        }
        Ok(())
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The three headers of a signed request, with one signature for each secret that is good now.
pub fn signature_headers(
    secrets: &[SigningSecret],
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let signatures: Vec<_> = secrets.iter().map(|one| one.sign(id, at, body)).collect();
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.as_secs().to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use enlist_core::SystemRng;

    #[test]
    fn what_one_has_signed_the_other_verifies_and_nothing_else() {
        let secret = SigningSecret::generate(&SystemRng);
        let now = Timestamp::from_secs(1_674_087_231);
        let (id, body) = ("0190f3a2", b"{\"a\":1}");
        let headers = signature_headers(
            &[SigningSecret::generate(&SystemRng), copy(&secret)],
            id,
            now,
            body,
        );
        let [_, (_, at), (_, signatures)] = &headers[..] else {
            panic!("three headers");
        };
        assert_eq!(secret.verify(id, at, signatures, body, now), Ok(()));
        for (id, at, body) in [
            ("0190f3a3", at.as_str(), &body[..]),
            (id, "1674087232", body),
            (id, at, b"{\"a\":2}"),
        ] {
            let verdict = secret.verify(id, at, signatures, body, now);
            assert_eq!(verdict, Err(BadSignature::Wrong));
        }
        let late = now + TOLERANCE + Duration::from_secs(1);
        assert_eq!(
            secret.verify(id, at, signatures, body, late),
            Err(BadSignature::Stale)
        );
        assert_eq!(
            SigningSecret::generate(&SystemRng).verify(id, at, signatures, body, now),
            Err(BadSignature::Wrong)
        );
    }

    #[test]
    fn it_signs_as_openssl_does() {
        // printf 'msg_1.1674087231.{"a":1}' | openssl dgst -sha256 -binary \
        //   -mac HMAC -macopt hexkey:$(printf '07%.0s' $(seq 32)) | base64
        let secret = SigningSecret(MacKey::from_bytes(&[7; 32]).unwrap());
        let at = Timestamp::from_secs(1_674_087_231);
        assert_eq!(
            secret.sign("msg_1", at, br#"{"a":1}"#),
            "v1,0ANzGnJGWWHmwudt0qLST2wpUTgWaHglALeEiddVSyk="
        );
    }

    #[test]
    fn the_text_reads_back_and_is_never_shown_by_accident() {
        let secret = SigningSecret::generate(&SystemRng);
        let text = secret.to_text();
        let read = SigningSecret::parse(text.expose_secret()).unwrap();
        let at = Timestamp::from_secs(1);
        assert_eq!(read.sign("x", at, b""), secret.sign("x", at, b""));
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
        for bad in ["", "whsec_", "whsec_AAAA", "AAAA", "whsec_\u{e9}"] {
            assert!(SigningSecret::parse(bad).is_none(), "{bad}");
        }
    }

    fn copy(secret: &SigningSecret) -> SigningSecret {
        SigningSecret::parse(secret.to_text().expose_secret()).unwrap()
    }
}
