//! Sealing secrets other than private keys.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use enlist_core::Rng;
use secrecy::{ExposeSecret, SecretBox, SecretSlice};
use zeroize::Zeroize;

use super::{Strength, WrappingKey, WrappingKeyError, stretch};

/// The form of what is sealed: this byte, salt, nonce, ciphertext with its tag.
const VERSION: u8 = 1;
const SALT_LEN: usize = 16;
const HEADER_LEN: usize = 1 + SALT_LEN + NONCE_LEN;

impl WrappingKey {
    /// Seals `secret` with AES-256-GCM under a key of its own, derived from this one by
    /// HKDF-SHA256 (from a passphrase, by scrypt before that). `label` says what the
    /// secret is, so that none is taken for another; it is not kept and has to be given
    /// again.
    ///
    /// # Errors
    /// The library's; none that is known.
    pub fn seal(
        &self,
        label: &str,
        secret: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, WrappingKeyError> {
        let mut header = [VERSION; HEADER_LEN];
        rng.fill(&mut header[1..]);
        let (key, nonce) = self.sealing_key(label, &header)?;
        let mut body = secret.to_vec();
        if key
            .seal_in_place_append_tag(nonce, Aad::from(header), &mut body)
            .is_err()
        {
            body.zeroize();
            return Err(WrappingKeyError::Library);
        }
        Ok([&header[..], &body].concat())
    }

    /// Opens what [`WrappingKey::seal`] made under the same label.
    ///
    /// # Errors
    /// [`WrappingKeyError::WrongKey`] where key, label or a bit of it are others.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<SecretSlice<u8>, WrappingKeyError> {
        let (header, body) = sealed
            .split_first_chunk::<HEADER_LEN>()
            .filter(|(header, _)| header[0] == VERSION)
            .ok_or(WrappingKeyError::NotWrapped)?;
        let (key, nonce) = self.sealing_key(label, header)?;
        let mut body = body.to_vec();
        let len = key
            .open_in_place(nonce, Aad::from(header), &mut body)
            .map_err(|_| WrappingKeyError::WrongKey)?
            .len();
        body.truncate(len);
        Ok(SecretSlice::from(body))
    }

    fn sealing_key(
        &self,
        label: &str,
        header: &[u8; HEADER_LEN],
    ) -> Result<(LessSafeKey, Nonce), WrappingKeyError> {
        let (salt, nonce) = header[1..].split_at(SALT_LEN);
        let mut stretched = SecretBox::new(Box::new([0; 32]));
        let material = match self.strength {
            Strength::Random => self.password(),
            Strength::Passphrase => {
                let out = secrecy::ExposeSecretMut::expose_secret_mut(&mut stretched);
                stretch::scrypt(self.password(), salt, stretch::COST, out)?;
                stretched.expose_secret()
            }
        };
        let key = Salt::new(HKDF_SHA256, salt)
            .extract(material)
            .expand(&[b"enlist seal ", label.as_bytes()], &AES_256_GCM)
            .map(UnboundKey::from)
            .map_err(|_| WrappingKeyError::Library)?;
        let nonce =
            Nonce::try_assume_unique_for_key(nonce).map_err(|_| WrappingKeyError::Library)?;
        Ok((LessSafeKey::new(key), nonce))
    }
}
