//! Challenges to TPMs: made by any server, checked by any other, stored by none until they have let
//! somebody in.
//!
//! A challenge is its version, its end (milliseconds), 16 random bytes, and a tag over these, tenant,
//! group, endorsement key and name of the attestation key. The secret that only the right TPM gives out
//! is another tag over the same, so that whoever checks it needs to remember nothing.

use std::time::Duration;

use enlist_attest::tpm::{Credential, Endorsed};
use enlist_core::{Rng, Timestamp};
use enlist_keys::mac::MacKey;

use crate::Error;

/// How long a challenge is good: chips take seconds for each step, and links are bad.
const LIFETIME: Duration = Duration::from_secs(300);

const VERSION: u8 = 1;
/// Version, end and random bytes.
const HEAD: usize = 1 + 8 + 16;

const TAG: &[u8] = b"enlist tpm challenge v1\0";
const SECRET: &[u8] = b"enlist tpm challenge secret v1\0";

/// A challenge that only one TPM can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The challenge; opaque to the device.
    pub challenge: Vec<u8>,
    /// What the TPM is to activate.
    pub credential: Credential,
    /// When it can't be answered any more.
    pub expires_at: Timestamp,
}

/// What a challenge is bound to.
pub(super) struct Bound<'a> {
    pub tenant: &'a str,
    pub group: &'a str,
    pub endorsed: &'a Endorsed,
}

impl Bound<'_> {
    pub(super) fn challenge(
        &self,
        key: &MacKey,
        rng: &dyn Rng,
        now: Timestamp,
    ) -> Result<Challenge, Error> {
        let expires_at = now + LIFETIME;
        let mut challenge = vec![VERSION];
        challenge.extend(expires_at.as_millis().to_be_bytes());
        let mut random = [0; 16];
        rng.fill(&mut random);
        challenge.extend(random);
        let (tag, secret) = (
            self.mac(key, TAG, &challenge),
            self.mac(key, SECRET, &challenge),
        );
        challenge.extend(tag);
        let credential = self.endorsed.credential(&secret, rng);
        Ok(Challenge {
            challenge,
            credential: credential.map_err(Error::attestation)?,
            expires_at,
        })
    }

    /// Whether `challenge` was made for all of this, and `activated` is the answer to it. When it ends.
    pub(super) fn check(
        &self,
        key: &MacKey,
        challenge: &[u8],
        activated: &[u8],
        now: Timestamp,
    ) -> Result<Timestamp, Error> {
        let (head, tag) = challenge
            .split_first_chunk::<HEAD>()
            .ok_or(Error::ChallengeInvalid)?;
        let [VERSION, e0, e1, e2, e3, e4, e5, e6, e7, ..] = *head else {
            return Err(Error::ChallengeInvalid);
        };
        let millis = i64::from_be_bytes([e0, e1, e2, e3, e4, e5, e6, e7]);
        let expires_at = Timestamp::from_millis(millis);
        let holds = key.verify(&self.message(TAG, head), tag)
            && key.verify(&self.message(SECRET, head), activated)
            && now < expires_at;
        holds.then_some(expires_at).ok_or(Error::ChallengeInvalid)
    }

    fn mac(&self, key: &MacKey, label: &[u8], head: &[u8]) -> [u8; MacKey::LEN] {
        key.sign(&self.message(label, head))
    }

    /// Parts of varying length are preceded by it, so that no two messages are alike.
    fn message(&self, label: &[u8], head: &[u8]) -> Vec<u8> {
        let mut message = [label, head].concat();
        let (ek, ak) = (self.endorsed.ek_digest(), self.endorsed.ak_name());
        for part in [
            self.tenant.as_bytes(),
            self.group.as_bytes(),
            ek.as_bytes(),
            &ak,
        ] {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        message
    }
}
