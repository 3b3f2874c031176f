//! A wrapping key that a TPM seals.

use std::path::Path;

use enlist_core::Rng;
use secrecy::{ExposeSecret, SecretString};

use super::place::io_error;
use super::{KeyStoreError, TpmAddress};
use crate::file;
use crate::tpm::{self, Tpm};
use crate::wrapping::{WrappingKey, WrappingKeyError};

/// Whether it is worth trying: a TPM that was named is, the machine's where it has one.
pub(super) fn can_seal(address: &TpmAddress) -> bool {
    *address != TpmAddress::Machine || Tpm::machine_has_one()
}

/// Makes a wrapping key and keeps it at `path`, durably. Nothing is wrapped with a key that the
/// TPM has not given back once.
pub(super) fn make(
    address: &TpmAddress,
    path: &Path,
    rng: &dyn Rng,
) -> Result<WrappingKey, KeyStoreError> {
    let key = WrappingKey::generate(rng);
    let text = tpm::seal(address, key.to_text().expose_secret().as_bytes())
        .map_err(|failure| failure.explain(address))?;
    let key = open(address, &text)?;
    file::write_new_private(path, text.as_bytes()).map_err(|source| io_error(path, source))?;
    Ok(key)
}

/// Opens what the file holds.
pub(super) fn open(address: &TpmAddress, text: &str) -> Result<WrappingKey, KeyStoreError> {
    let secret = tpm::unseal(address, text)
        .map_err(|failure| failure.explain(address))?
        .ok_or(WrappingKeyError::Damaged)?;
    let text = str::from_utf8(secret.expose_secret()).map_err(|_| WrappingKeyError::Damaged)?;
    Ok(WrappingKey::from_text(&SecretString::from(text))?)
}
