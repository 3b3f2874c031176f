//! The key that wraps other keys while they lie in a store.

mod disk;
mod pbes2;
mod pem;
mod seal;
mod stretch;

use std::fmt;
use std::io;
use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding};
use enlist_core::Rng;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Parameters;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::file_key::{FileKey, FileKeyError};

/// What keeps the CA's keys and other secrets unreadable for whoever has only the
/// database: 256 random bits, or a passphrase of a person's.
///
/// Its text is one line; wrapped keys are PKCS#8 that OpenSSL opens with that line as
/// the password.
pub struct WrappingKey {
    text: SecretString,
    strength: Strength,
}

/// How hard guessing must be made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// 256 random bits need no stretching.
    Random,
    /// A passphrase does.
    Passphrase,
}

impl WrappingKey {
    /// The fewest characters of a passphrase.
    pub const SHORTEST_PASSPHRASE: usize = 12;

    /// Makes a new random key.
    pub fn generate(rng: &dyn Rng) -> Self {
        let bytes = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| rng.fill(bytes));
        let encoded = Base64UrlUnpadded::encode_string(bytes.expose_secret());
        Self {
            text: SecretString::from(format!("{PREFIX}{encoded}")),
            strength: Strength::Random,
        }
    }

    /// Takes the first line of `text`: a key made by [`WrappingKey::generate`], or else a
    /// passphrase.
    ///
    /// # Errors
    /// It is too short to be either, or begins like a made key and is not one.
    pub fn from_text(text: &SecretString) -> Result<Self, WrappingKeyError> {
        let line = text.expose_secret().lines().next().unwrap_or_default();
        let strength = match line.strip_prefix(PREFIX) {
            Some(encoded) => {
                let mut bytes = SecretBox::new(Box::new([0; 32]));
                let decoded = Base64UrlUnpadded::decode(
                    encoded,
                    secrecy::ExposeSecretMut::expose_secret_mut(&mut bytes),
                );
                match decoded {
                    Ok(decoded) if decoded.len() == 32 => Strength::Random,
                    _ => return Err(WrappingKeyError::Damaged),
                }
            }
            None if line.chars().count() < Self::SHORTEST_PASSPHRASE => {
                return Err(WrappingKeyError::TooShort);
            }
            None if cfg!(not(feature = "passphrase")) => return Err(WrappingKeyError::NotBuilt),
            None => Strength::Passphrase,
        };
        Ok(Self {
            text: SecretString::from(line),
            strength,
        })
    }

    /// The line to keep.
    pub fn to_text(&self) -> &SecretString {
        &self.text
    }

    /// Wraps a private key: a DER `EncryptedPrivateKeyInfo` (RFC 5958 section 3), PBES2
    /// with AES-256-CBC, the key derived by PBKDF2-HMAC-SHA256 or, from a passphrase, by
    /// scrypt.
    ///
    /// # Errors
    /// The key can't be exported.
    pub fn wrap(&self, key: &FileKey, rng: &dyn Rng) -> Result<Vec<u8>, WrappingKeyError> {
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rng.fill(&mut salt);
        rng.fill(&mut iv);
        let parameters = match self.strength {
            Strength::Random => Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)
                .map_err(|_| WrappingKeyError::Library)?,
            Strength::Passphrase => stretch::parameters(&salt, iv)?,
        };
        let der = key.to_pkcs8_der()?;
        let encrypted = pbes2::encrypt(&parameters, self.password(), der.expose_secret())?;
        EncryptedPrivateKeyInfoRef {
            encryption_algorithm: parameters.into(),
            encrypted_data: pkcs8::der::asn1::OctetStringRef::new(&encrypted)
                .map_err(|_| WrappingKeyError::Library)?,
        }
        .to_der()
        .map_err(|_| WrappingKeyError::Library)
    }

    /// Opens what [`WrappingKey::wrap`], or `openssl pkcs8 -topk8` with AES, made.
    ///
    /// # Errors
    /// [`WrappingKeyError::WrongKey`] where this key does not open it.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<FileKey, WrappingKeyError> {
        let info = EncryptedPrivateKeyInfoRef::from_der(wrapped)
            .map_err(|_| WrappingKeyError::NotWrapped)?;
        let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
            return Err(WrappingKeyError::NotWrapped);
        };
        let der = pbes2::decrypt(parameters, self.password(), info.encrypted_data.as_bytes())?;
        // CBC has no seal of its own: now and then a wrong key leaves plausible padding.
        FileKey::from_pkcs8_der(&der).map_err(|error| match error {
            FileKeyError::Unreadable => WrappingKeyError::WrongKey,
            other => other.into(),
        })
    }

    fn password(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappingKey(…)")
    }
}

/// A wrapping key that is not to be had, or that does not fit.
#[derive(Debug, thiserror::Error)]
pub enum WrappingKeyError {
    /// A passphrase, or what stands in its place, of too few characters.
    #[error(
        "the wrapping key is too short: a passphrase has {} characters at least",
        WrappingKey::SHORTEST_PASSPHRASE
    )]
    TooShort,
    /// It begins as ours do and goes on differently.
    #[error("the wrapping key is damaged: it was not copied whole")]
    Damaged,
    /// Another key wrapped it.
    #[error("this wrapping key does not open what is in the store: it was wrapped with another")]
    WrongKey,
    /// What was to be opened is nothing that was ever wrapped.
    #[error("not a wrapped secret")]
    NotWrapped,
    /// A passphrase, in a build that can't stretch one.
    #[error(
        "the wrapping key is a passphrase, and this build takes none: take one that was made (`ewk_…`)"
    )]
    NotBuilt,
    /// There is no file.
    #[error("there is no wrapping key at {}", .0.display())]
    Missing(PathBuf),
    /// The file is there, and nothing in it: a write was cut off, or a copy.
    #[error("{path} is empty: bring back the wrapping key that was in it", path = .0.display())]
    Empty(PathBuf),
    /// Others may read it.
    #[error("{path} is open to other users: run `chmod 600 {path}`", path = .0.display())]
    Exposed(PathBuf),
    /// The file can't be read or written.
    #[error("the wrapping key at {} is not accessible", path.display())]
    Io {
        /// Where it is, or should be.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A private key among what is wrapped.
    #[error("the private key cannot be wrapped or unwrapped")]
    Key(#[from] FileKeyError),
    /// The cryptographic library refused, without saying why.
    #[error("the cryptographic library failed")]
    Library,
}

/// So that a key of ours is told from a passphrase, and found by secret scanners.
const PREFIX: &str = "ewk_";

/// What is stretched already holds 256 random bits; this is for form's sake.
const ITERATIONS: u32 = 1000;
