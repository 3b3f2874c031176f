//! Wrapped private keys as text, for people to keep.

use enlist_core::Rng;
use pkcs8::der::pem::{LineEnding, PemLabel as _, encode_string};

use super::{WrappingKey, WrappingKeyError};
use crate::file_key::FileKey;

const LABEL: &str = pkcs8::EncryptedPrivateKeyInfoRef::PEM_LABEL;

impl WrappingKey {
    /// As [`WrappingKey::wrap`], as a PEM block: `ENCRYPTED PRIVATE KEY` (RFC 7468 section 11).
    ///
    /// # Errors
    /// The key can't be exported.
    pub fn wrap_pem(&self, key: &FileKey, rng: &dyn Rng) -> Result<String, WrappingKeyError> {
        let der = self.wrap(key, rng)?;
        encode_string(LABEL, LineEnding::LF, &der).map_err(|_| WrappingKeyError::Library)
    }

    /// Opens the first `ENCRYPTED PRIVATE KEY` in a PEM text; what stands around it is passed over.
    ///
    /// # Errors
    /// There is none ([`WrappingKeyError::NotWrapped`]), or this key does not open it.
    pub fn unwrap_pem(&self, text: &str) -> Result<FileKey, WrappingKeyError> {
        let block = enlist_pki::pem_block(text, LABEL).ok().flatten();
        self.unwrap(&block.ok_or(WrappingKeyError::NotWrapped)?)
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::SystemRng;
    use enlist_pki::{KeyKind, Signer};
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn a_key_goes_through_text_among_other_blocks_and_opens_with_its_passphrase_alone() {
        let key = FileKey::generate(KeyKind::P384).unwrap();
        let made = |text: &str| WrappingKey::from_text(&SecretString::from(text)).unwrap();
        let wrapping = WrappingKey::generate(&SystemRng);
        let pem = wrapping.wrap_pem(&key, &SystemRng).unwrap();
        let among =
            format!("words\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n{pem}");
        let again = wrapping.unwrap_pem(&among).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let other = WrappingKey::generate(&SystemRng);
        assert!(matches!(
            made(secrecy::ExposeSecret::expose_secret(other.to_text())).unwrap_pem(&pem),
            Err(WrappingKeyError::WrongKey)
        ));
        for cut in 0..pem.len() - 1 {
            assert!(wrapping.unwrap_pem(&pem[..cut]).is_err(), "{cut}");
        }
    }
}
