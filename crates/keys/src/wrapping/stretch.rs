//! Passphrases, made hard to guess: scrypt (RFC 7914).

use pkcs8::pkcs5::pbes2::Parameters;
#[cfg(feature = "passphrase")]
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Salt, ScryptParams};

use super::WrappingKeyError;

/// Cost (a power of two), block size and parallelization: 16 MiB and some tenths of a second.
pub(super) const COST: Cost = (1 << 14, 8, 5);
/// OpenSSL opens nothing that takes so much memory, and neither do we.
#[cfg(feature = "passphrase")]
const TOO_MUCH: u64 = 32 * 1024 * 1024;

/// Cost, block size, parallelization.
pub(super) type Cost = (u64, u16, u16);

/// Stretches a passphrase to as many bytes as `out` has.
#[cfg(feature = "passphrase")]
pub(super) fn scrypt(
    password: &[u8],
    salt: &[u8],
    (cost, block, parallel): Cost,
    out: &mut [u8],
) -> Result<(), WrappingKeyError> {
    let takes = cost.saturating_mul(128 * u64::from(block));
    if !cost.is_power_of_two() || takes >= TOO_MUCH {
        return Err(WrappingKeyError::NotWrapped);
    }
    let log = u8::try_from(cost.ilog2()).map_err(|_| WrappingKeyError::NotWrapped)?;
    let params = scrypt::Params::new(log, block.into(), parallel.into())
        .map_err(|_| WrappingKeyError::NotWrapped)?;
    scrypt::scrypt(password, salt, &params, out).map_err(|_| WrappingKeyError::Library)
}

/// How a key is wrapped under a passphrase.
#[cfg(feature = "passphrase")]
pub(super) fn parameters(salt: &[u8], iv: [u8; 16]) -> Result<Parameters, WrappingKeyError> {
    let (cost_parameter, block_size, parallelization) = COST;
    let kdf = ScryptParams {
        salt: Salt::new(salt).map_err(|_| WrappingKeyError::Library)?,
        cost_parameter,
        block_size,
        parallelization,
        key_length: None,
    };
    Ok(Parameters {
        kdf: kdf.into(),
        encryption: EncryptionScheme::Aes256Cbc { iv },
    })
}

/// Refuses: this build takes made keys alone.
#[cfg(not(feature = "passphrase"))]
pub(super) fn parameters(_: &[u8], _: [u8; 16]) -> Result<Parameters, WrappingKeyError> {
    Err(WrappingKeyError::NotBuilt)
}

/// Refuses: this build takes made keys alone.
#[cfg(not(feature = "passphrase"))]
pub(super) fn scrypt(_: &[u8], _: &[u8], _: Cost, _: &mut [u8]) -> Result<(), WrappingKeyError> {
    Err(WrappingKeyError::NotBuilt)
}
