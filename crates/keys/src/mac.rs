//! Messages that only servers read: made by one, checked by any that has the key.

use std::fmt;

use aws_lc_rs::hmac;
use enlist_core::Rng;
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroize;

/// An HMAC-SHA256 key of 256 bits.
pub struct MacKey {
    bytes: SecretBox<[u8; MacKey::LEN]>,
    key: hmac::Key,
}

impl MacKey {
    /// The length of a key and of a tag, in bytes.
    pub const LEN: usize = 32;

    /// Makes a new key.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self::new(SecretBox::init_with_mut(|bytes: &mut [u8; Self::LEN]| {
            rng.fill(bytes);
        }))
    }

    /// Takes a key that was kept; `None` where it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes: [u8; Self::LEN] = bytes.try_into().ok()?;
        let secret = SecretBox::new(Box::new(bytes));
        bytes.zeroize();
        Some(Self::new(secret))
    }

    /// The key, to be kept.
    pub fn to_bytes(&self) -> &SecretBox<[u8; Self::LEN]> {
        &self.bytes
    }

    /// The tag of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; Self::LEN] {
        let mut tag = [0; Self::LEN];
        tag.copy_from_slice(hmac::sign(&self.key, message).as_ref());
        tag
    }

    /// Whether `tag` is that of `message`, found out in constant time.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.key, message, tag).is_ok()
    }

    fn new(bytes: SecretBox<[u8; Self::LEN]>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes.expose_secret());
        Self { bytes, key }
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use enlist_core::SystemRng;

    #[test]
    fn a_kept_key_verifies_what_it_signed_and_nothing_else() {
        let key = MacKey::generate(&SystemRng);
        let tag = key.sign(b"device 7 until noon");
        let kept = MacKey::from_bytes(key.to_bytes().expose_secret()).unwrap();
        assert!(kept.verify(b"device 7 until noon", &tag));
        assert!(!kept.verify(b"device 8 until noon", &tag));
        assert!(!kept.verify(b"device 7 until noon", &tag[..31]));
        assert!(!MacKey::generate(&SystemRng).verify(b"device 7 until noon", &tag));
        assert!(MacKey::from_bytes(&[0; 31]).is_none());
        assert_eq!(format!("{key:?}"), "MacKey(…)");
    }

    #[test]
    fn it_is_hmac_sha256() {
        // RFC 4231 section 4.2 has a key of 20 bytes; HMAC pads with zeros up to the block.
        let mut bytes = [0; 32];
        bytes[..20].fill(0x0b);
        let tag = MacKey::from_bytes(&bytes).unwrap().sign(b"Hi There");
        assert_eq!(tag[..4], [0xb0, 0x34, 0x4c, 0x61]);
    }
}
