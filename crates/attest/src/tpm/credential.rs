//! What `TPM2_MakeCredential` does, without a TPM (Part 1, section 24 and annexes B.10.4 and C.6.4).
//!
//! The secret goes under a key that is derived from a seed, and the seed under the endorsement key. The
//! name of the attestation key goes into the derivation and the integrity check, so that a TPM gives
//! the secret out only where that very key is loaded.

use aws_lc_rs::agreement::{
    self, Algorithm, ECDH_P256, ECDH_P384, EphemeralPrivateKey, UnparsedPublicKey,
};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use enlist_core::Rng;
use enlist_pki::KeyKind;
use zeroize::Zeroizing;

use super::public::{Aes, Public};
use super::refusal::TpmRefusal;

/// What a TPM is given to activate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `TPM2B_ID_OBJECT`, its size included.
    pub blob: Vec<u8>,
    /// `TPM2B_ENCRYPTED_SECRET`, its size included.
    pub encrypted_secret: Vec<u8>,
}

/// What the seed is for, as both ways of encrypting it say.
const IDENTITY: &[u8] = b"IDENTITY";

/// Encrypts `secret` so that only the TPM with the endorsement key `ek` gives it out, and only where a key
/// called `ak_name` is loaded in it.
///
/// # Errors
/// The library can't encrypt for this key.
pub(super) fn make(
    ek: &Public,
    ak_name: &[u8],
    secret: &[u8; 32],
    rng: &dyn Rng,
) -> Result<Credential, TpmRefusal> {
    let made = match ek.key.kind() {
        KeyKind::Rsa(_) => seed_for_rsa(ek, rng),
        KeyKind::P256 => seed_for_curve(ek, &ECDH_P256),
        KeyKind::P384 => seed_for_curve(ek, &ECDH_P384),
        KeyKind::Ed25519 => None,
    };
    made.and_then(|(seed, encrypted)| {
        Some(Credential {
            blob: sized(&id_object(ek, &seed, ak_name, secret)?)?,
            encrypted_secret: sized(&encrypted)?,
        })
    })
    .ok_or(TpmRefusal::NoCredential)
}

/// A seed, and how it is told to the TPM.
type Seed = (Zeroizing<Vec<u8>>, Vec<u8>);

/// RSA-OAEP by the key's own hash; the label ends with a zero.
fn seed_for_rsa(ek: &Public, rng: &dyn Rng) -> Option<Seed> {
    let mut seed = Zeroizing::new(vec![0; ek.name_hash.length()]);
    rng.fill(&mut seed);
    let key = PublicEncryptingKey::from_der(ek.key.spki_der()).ok()?;
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    let mut out = vec![0; key.ciphertext_size()];
    let label = [IDENTITY, &[0]].concat();
    let length = key
        .encrypt(ek.name_hash.oaep(), &seed, &mut out, Some(&label))
        .ok()?
        .len();
    out.truncate(length);
    Some((seed, out))
}

/// Diffie-Hellman with a key made for this alone, whose point (`TPMS_ECC_POINT`) the TPM is told.
fn seed_for_curve(ek: &Public, algorithm: &'static Algorithm) -> Option<Seed> {
    let ours = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).ok()?;
    let public = ours.compute_public_key().ok()?;
    let (ours_x, ours_y) = coordinates(public.as_ref())?;
    let point = ek.key.point()?;
    let (theirs_x, _) = coordinates(point)?;
    let theirs = UnparsedPublicKey::new(algorithm, point);
    let seed = agreement::agree_ephemeral(ours, theirs, (), |agreed| {
        ek.name_hash
            .kdf_e(agreed, IDENTITY, (ours_x, theirs_x))
            .ok_or(())
    })
    .ok()?;
    Some((seed, [sized(ours_x)?, sized(ours_y)?].concat()))
}

fn coordinates(point: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, numbers) = point.split_first()?;
    Some(numbers.split_at(numbers.len() / 2))
}

/// `TPMS_ID_OBJECT`: the integrity check over the encrypted secret and the name, and the encrypted secret.
fn id_object(ek: &Public, seed: &[u8], name: &[u8], secret: &[u8; 32]) -> Option<Vec<u8>> {
    let (hash, cipher) = (ek.name_hash, ek.symmetric?);
    let mut identity = sized(secret)?;
    let (algorithm, length) = match cipher {
        Aes::Bits128 => (&AES_128, 16),
        Aes::Bits256 => (&AES_256, 32),
    };
    let key = hash.kdf_a(seed, b"STORAGE", name, length)?;
    let key = UnboundCipherKey::new(algorithm, &key).ok()?;
    // The key is derived anew for each seed, so the specification has the vector zero.
    let zero = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    EncryptingKey::cfb128(key)
        .ok()?
        .less_safe_encrypt(&mut identity, zero)
        .ok()?;
    let key = hash.kdf_a(seed, b"INTEGRITY", &[], hash.length())?;
    let tag = hash.mac(&key, &[&identity, name].concat());
    Some([sized(tag.as_ref())?, identity].concat())
}

/// A `TPM2B`.
fn sized(content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?;
    Some([&length.to_be_bytes(), content].concat())
}
