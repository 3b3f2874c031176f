//! How requests to others are signed: Standard Webhooks 1.0.0, symmetric (`v1`).
//!
//! `webhook-signature` is a list, by spaces, of `v1,` and the base64 of HMAC-SHA256 over
//! `webhook-id`, `.`, `webhook-timestamp`, `.`, body. There is one a secret that is good at the time.

use std::fmt;

use base64ct::{Base64, Encoding};
use enlist_core::{Rng, Timestamp};
use enlist_keys::mac::MacKey;
use enlist_keys::{WrappingKey, WrappingKeyError};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{Error, Ops};

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// What a secret is sealed as.
const LABEL: &str = "outbound signing";

/// A secret that the server and one receiver share: 256 random bits.
pub(crate) struct SigningSecret(MacKey);

impl SigningSecret {
    /// Makes a new one.
    fn generate(rng: &dyn Rng) -> Self {
        Self(MacKey::generate(rng))
    }

    /// The text form, to be shown once.
    fn to_text(&self) -> SecretString {
        let bytes = Zeroizing::new(Base64::encode_string(self.0.to_bytes().expose_secret()));
        format!("{PREFIX}{}", *bytes).into()
    }

    /// Seals it, to be kept.
    ///
    /// # Errors
    /// The library's; none that is known.
    fn seal(&self, wrapping: &WrappingKey, rng: &dyn Rng) -> Result<Vec<u8>, WrappingKeyError> {
        wrapping.seal(LABEL, self.0.to_bytes().expose_secret(), rng)
    }

    /// Opens those that are good at `now`, the newest first: `sealed`, and the one before it until its time
    /// is up.
    ///
    /// # Errors
    /// One was sealed under another key, or as something else.
    pub(crate) fn open_all(
        wrapping: &WrappingKey,
        sealed: &[u8],
        before: Option<&(Vec<u8>, Timestamp)>,
        now: Timestamp,
    ) -> Result<Vec<Self>, WrappingKeyError> {
        let before = before.filter(|(_, until)| now < *until);
        std::iter::once(sealed)
            .chain(before.map(|(sealed, _)| sealed.as_slice()))
            .map(|sealed| Self::open(wrapping, sealed))
            .collect()
    }

    fn open(wrapping: &WrappingKey, sealed: &[u8]) -> Result<Self, WrappingKeyError> {
        let bytes = wrapping.open(LABEL, sealed)?;
        MacKey::from_bytes(bytes.expose_secret())
            .map(Self)
            .ok_or(WrappingKeyError::NotWrapped)
    }

    /// The signature of a request, `v1,…`. `id` holds no dot.
    fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let tag = self.0.sign(&signed(id, &at.as_secs().to_string(), body));
        format!("v1,{}", Base64::encode_string(&tag))
    }
}

impl Ops {
    /// Makes a secret, as it is shown once and as it is kept.
    pub(crate) fn new_signing_secret(&self) -> Result<(SecretString, Vec<u8>), Error> {
        let secret = SigningSecret::generate(&*self.inner.rng);
        let sealed = secret
            .seal(self.inner.authorities.wrapping(), &*self.inner.rng)
            .map_err(Error::signing)?;
        Ok((secret.to_text(), sealed))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The three headers of a signed request, with one signature for each secret that is good now.
pub(crate) fn signature_headers(
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
    fn it_is_shown_on_purpose_alone() {
        let secret = SigningSecret(MacKey::from_bytes(&[7; 32]).unwrap());
        let text = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(secret.to_text().expose_secret(), text);
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
    }
}
