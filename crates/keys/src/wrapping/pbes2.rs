//! Encryption under a password: PBES2 (RFC 8018 section 6.2).

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf};
use zeroize::{Zeroize, Zeroizing};

use super::WrappingKeyError;
use super::stretch;

/// Encrypts `plain` as `parameters` say.
pub(super) fn encrypt(
    parameters: &Parameters,
    password: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, WrappingKeyError> {
    let failed = |_| WrappingKeyError::Library;
    let (key, iv) = key(parameters, password)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(failed)?;
    let mut bytes = plain.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    if key.less_safe_encrypt(&mut bytes, context).is_err() {
        bytes.zeroize();
        return Err(WrappingKeyError::Library);
    }
    Ok(bytes)
}

/// Decrypts what [`encrypt`], or OpenSSL with AES in CBC mode, has encrypted.
///
/// # Errors
/// [`WrappingKeyError::WrongKey`] where it can be seen that the password is another; CBC
/// does not always show it.
pub(super) fn decrypt(
    parameters: &Parameters,
    password: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, WrappingKeyError> {
    let (key, iv) = key(parameters, password)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| WrappingKeyError::Library)?;
    let mut bytes = Zeroizing::new(encrypted.to_vec());
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let len = key
        .decrypt(&mut bytes, context)
        .map_err(|_| WrappingKeyError::WrongKey)?
        .len();
    bytes.truncate(len);
    Ok(bytes)
}

/// The key, and the initialization vector that goes with it.
fn key(
    parameters: &Parameters,
    password: &[u8],
) -> Result<(UnboundCipherKey, [u8; 16]), WrappingKeyError> {
    let (algorithm, len, iv): (&'static Algorithm, usize, _) = match parameters.encryption {
        EncryptionScheme::Aes128Cbc { iv } => (&AES_128, 16, iv),
        EncryptionScheme::Aes192Cbc { iv } => (&AES_192, 24, iv),
        EncryptionScheme::Aes256Cbc { iv } => (&AES_256, 32, iv),
        _ => return Err(WrappingKeyError::NotWrapped),
    };
    let said = parameters.kdf.key_length();
    if said.is_some_and(|said| usize::from(said) != len) {
        return Err(WrappingKeyError::NotWrapped);
    }
    let mut bytes = Zeroizing::new([0; 32]);
    let out = &mut bytes[..len];
    match &parameters.kdf {
        Kdf::Pbkdf2(how) => derive(how, password, out)?,
        Kdf::Scrypt(how) => {
            let (n, r, p) = (how.cost_parameter, how.block_size, how.parallelization);
            stretch::scrypt(password, how.salt.as_bytes(), (n, r, p), out)?;
        }
        _ => return Err(WrappingKeyError::NotWrapped),
    }
    let key = UnboundCipherKey::new(algorithm, out).map_err(|_| WrappingKeyError::Library)?;
    Ok((key, iv))
}

fn derive(how: &Pbkdf2Params, password: &[u8], out: &mut [u8]) -> Result<(), WrappingKeyError> {
    let algorithm = match how.prf {
        Pbkdf2Prf::HmacWithSha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(WrappingKeyError::NotWrapped),
    };
    let rounds = NonZeroU32::new(how.iteration_count).ok_or(WrappingKeyError::NotWrapped)?;
    pbkdf2::derive(algorithm, rounds, how.salt.as_bytes(), password, out);
    Ok(())
}
