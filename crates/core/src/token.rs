//! Secrets that are shown once and kept as their hash: provisioning secrets, device tokens, API tokens.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use secrecy::{ExposeSecret, SecretString};
use sha2::Digest as _;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Rng, lower_hex};

/// SHA-256 of something. Compared in constant time.
#[derive(Clone, Copy, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes `bytes` with SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Takes a SHA-256 value that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same in lowercase hexadecimal: 64 digits.
    pub fn to_hex(&self) -> String {
        lower_hex(&self.0)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}…)", lower_hex(&self.0[..4]))
    }
}

/// A text that is no token of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a text that begins with `{prefix}_` and was copied whole")]
pub struct MalformedToken {
    prefix: &'static str,
}

/// The public half of a secret: ten lowercase base32 characters by which it is looked up.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortId(String);

impl ShortId {
    const LEN: usize = 10;
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    fn generate(rng: &dyn Rng) -> Self {
        let mut bytes = [0; Self::LEN];
        rng.fill(&mut bytes);
        Self(
            bytes
                .iter()
                .map(|b| char::from(Self::ALPHABET[usize::from(b & 31)]))
                .collect(),
        )
    }

    /// Reads a short id; `None` where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == Self::LEN && text.bytes().all(|b| Self::ALPHABET.contains(&b)))
            .then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 256 random bits as unpadded base64url.
fn random_text(rng: &dyn Rng) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill(bytes.as_mut());
    Zeroizing::new(Base64UrlUnpadded::encode_string(bytes.as_ref()))
}

fn is_random_text(text: &str) -> bool {
    let mut bytes = Zeroizing::new([0; 32]);
    text.len() == 43
        && Base64UrlUnpadded::decode(text, bytes.as_mut()).is_ok_and(|read| read.len() == 32)
}

macro_rules! looked_up_secret {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            short_id: ShortId,
            text: SecretString,
        }

        impl $name {
            const PREFIX: &str = $prefix;

            /// Makes a new one: a short id and 256 random bits.
            pub fn generate(rng: &dyn Rng) -> Self {
                let short_id = ShortId::generate(rng);
                let secret = random_text(rng);
                let text = format!("{}_{short_id}_{}", Self::PREFIX, *secret);
                Self { short_id, text: text.into() }
            }

            /// Reads one as a person or a program hands it in.
            ///
            /// # Errors
            /// When the text has another form; it is never repeated in the error.
            pub fn parse(text: &str) -> Result<Self, MalformedToken> {
                let malformed = MalformedToken { prefix: Self::PREFIX };
                let rest = text.strip_prefix(concat!($prefix, "_")).ok_or(malformed.clone())?;
                let (short_id, secret) = rest.split_once('_').ok_or(malformed.clone())?;
                let short_id = ShortId::parse(short_id).ok_or(malformed.clone())?;
                if !is_random_text(secret) {
                    return Err(malformed);
                }
                Ok(Self { short_id, text: text.to_owned().into() })
            }

            /// By what it is looked up.
            pub fn short_id(&self) -> &ShortId {
                &self.short_id
            }

            /// What the store keeps of it.
            pub fn digest(&self) -> Digest {
                Digest::of(self.text.expose_secret().as_bytes())
            }

            /// The whole text, to show once.
            pub fn expose(&self) -> &str {
                self.text.expose_secret()
            }
        }
    };
}

looked_up_secret!(
    /// A provisioning secret (also: device enrollment token), `eps_<short id>_<secret>`:
    /// shared by a group, good for enrolling and for nothing else.
    ProvisioningSecret,
    "eps"
);
looked_up_secret!(
    /// An API token, `eat_<short id>_<secret>`.
    ApiToken,
    "eat"
);

/// A device's own token, `edt_<secret>`: made on the device, hashed on the server.
#[derive(Debug, Clone)]
pub struct DeviceToken(SecretString);

impl DeviceToken {
    /// Makes a new one of 256 random bits.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(format!("edt_{}", *random_text(rng)).into())
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the text has another form; it is never repeated in the error.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        match text.strip_prefix("edt_") {
            Some(secret) if is_random_text(secret) => Ok(Self(text.to_owned().into())),
            _ => Err(MalformedToken { prefix: "edt" }),
        }
    }

    /// What the store keeps of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose_secret().as_bytes())
    }

    /// The whole text, for the device's own file and the one request that carries it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRng;

    #[test]
    fn secrets_read_back_and_differ() {
        let secret = ProvisioningSecret::generate(&SystemRng);
        let read = ProvisioningSecret::parse(secret.expose()).unwrap();
        assert_eq!(read.short_id(), secret.short_id());
        assert_eq!(read.digest(), secret.digest());
        assert_ne!(
            secret.digest(),
            ProvisioningSecret::generate(&SystemRng).digest()
        );
    }

    #[test]
    fn a_cut_off_or_foreign_text_is_refused_and_not_repeated() {
        let secret = ProvisioningSecret::generate(&SystemRng);
        let text = secret.expose();
        for end in 0..text.len() {
            let refused = ProvisioningSecret::parse(&text[..end]).unwrap_err();
            assert!(end < 8 || !refused.to_string().contains(&text[4..end]));
        }
        assert!(ApiToken::parse(text).is_err());
        assert!(DeviceToken::parse(text).is_err());
        assert!(ProvisioningSecret::parse(&format!("{text}\n")).is_err());
    }

    #[test]
    fn debug_shows_nothing() {
        let token = DeviceToken::generate(&SystemRng);
        assert!(!format!("{token:?}").contains(&token.expose()[4..]));
    }
}
