//! Nonces for renewal by token: made by any server, checked by any other, stored by none.

use std::time::Duration;

use enlist_core::{DeviceId, Timestamp};
use enlist_keys::mac::MacKey;

use crate::{Error, Ops};

/// How long a nonce is good: enough for a device behind a bad link.
const LIFETIME: Duration = Duration::from_secs(300);

/// A nonce, to be signed soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// The nonce; opaque to the device.
    pub nonce: Vec<u8>,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// The key under which nonces are made: the same on every server of one installation.
pub(crate) struct Nonces {
    key: MacKey,
}

impl Nonces {
    pub(crate) fn new(key: MacKey) -> Self {
        Self { key }
    }

    /// The key, for other messages that servers of one installation pass to each other. Each kind
    /// begins with a label of its own.
    pub(crate) fn key(&self) -> &MacKey {
        &self.key
    }

    /// Expiry (milliseconds, eight bytes big-endian), then the MAC over device and expiry.
    fn make(&self, device: DeviceId, expires_at: Timestamp) -> Vec<u8> {
        let mut nonce = expires_at.as_millis().to_be_bytes().to_vec();
        nonce.extend(self.key.sign(&message(device, expires_at)));
        nonce
    }

    pub(crate) fn check(
        &self,
        nonce: &[u8],
        device: DeviceId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (expiry, tag) = nonce.split_first_chunk::<8>().ok_or(Error::BadNonce)?;
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(*expiry));
        if self.key.verify(&message(device, expires_at), tag) && now < expires_at {
            Ok(())
        } else {
            Err(Error::BadNonce)
        }
    }
}

fn message(device: DeviceId, expires_at: Timestamp) -> Vec<u8> {
    let mut message = b"enlist renewal nonce v1\0".to_vec();
    message.extend(device.as_bytes());
    message.extend(expires_at.as_millis().to_be_bytes());
    message
}

impl Ops {
    /// A nonce for a device to sign. Whether there is such a device, it does not say.
    pub fn nonce(&self, device: DeviceId) -> Nonce {
        let expires_at = self.now() + LIFETIME;
        Nonce {
            nonce: self.inner.nonces.make(device, expires_at),
            expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use enlist_core::SystemRng;

    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_device_and_for_a_while() {
        let now = Timestamp::from_secs(1_800_000_000);
        let (device, other) = (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let nonces = Nonces::new(MacKey::generate(&SystemRng));
        let nonce = nonces.make(device, now + LIFETIME);
        assert!(nonces.check(&nonce, device, now).is_ok());
        assert!(nonces.check(&nonce, other, now).is_err());
        assert!(nonces.check(&nonce, device, now + LIFETIME).is_err());
        for at in 0..nonce.len() {
            let mut forged = nonce.clone();
            forged[at] ^= 1;
            assert!(nonces.check(&forged, device, now).is_err(), "byte {at}");
            assert!(
                nonces.check(&nonce[..at], device, now).is_err(),
                "cut at {at}"
            );
        }
    }
}
