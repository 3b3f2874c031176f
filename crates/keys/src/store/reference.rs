//! What a caller keeps of a key.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

use super::StoreKind;

/// Names a key in its store. It is what [`super::KeyStore::make`] gave; the caller keeps it,
/// durably, in a file of its own.
///
/// For stores in hardware the text says where the key is and which it is, and nothing secret.
/// For the file store it is the key itself: PEM, `ENCRYPTED PRIVATE KEY`; or, from the days
/// before keys were encrypted, `PRIVATE KEY`. So it is never shown by `Debug`, and its file is
/// the owner's alone (mode 0600).
#[derive(Clone)]
pub struct KeyReference(SecretString);

impl KeyReference {
    /// The most bytes of one: an encrypted RSA key of 4096 bits takes under 4 KiB.
    pub const LONGEST: usize = 16 * 1024;

    /// Takes the text that was kept. Which store it belongs to, and whether the key is there,
    /// is for [`super::KeyStore::open`] to say.
    ///
    /// # Errors
    /// It is empty, too long, or no ASCII text.
    pub fn parse(text: &str) -> Result<Self, BadReference> {
        let printable = |byte: u8| byte.is_ascii_graphic() || b" \r\n\t".contains(&byte);
        if text.trim().is_empty() || text.len() > Self::LONGEST || !text.bytes().all(printable) {
            return Err(BadReference);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The kind of store that it speaks of, as far as its first characters say; `None` where
    /// it is none of ours.
    pub fn kind(&self) -> Option<StoreKind> {
        [
            ("-----BEGIN ", StoreKind::File),
            ("tpm:", StoreKind::Tpm),
            ("pkcs11:", StoreKind::Pkcs11),
        ]
        .into_iter()
        .find_map(|(start, kind)| self.as_str().starts_with(start).then_some(kind))
    }

    /// The text to keep.
    pub fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for KeyReference {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        Self::parse(text)
    }
}

impl PartialEq for KeyReference {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.as_str()
            .as_bytes()
            .ct_eq(other.as_str().as_bytes())
            .into()
    }
}

impl Eq for KeyReference {}

impl fmt::Debug for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyReference(…)")
    }
}

/// Those of `all` that belong to a store. One that belongs to none at all may be a damaged one
/// of this store's, so nothing is done then.
#[cfg(any(feature = "tpm", feature = "pkcs11"))]
pub(super) fn own(
    store: StoreKind,
    all: &[KeyReference],
) -> Result<Vec<&KeyReference>, super::KeyStoreError> {
    all.iter()
        .filter_map(|one| match one.kind() {
            None => Some(Err(super::KeyStoreError::Reference(store))),
            Some(kind) => (kind == store).then_some(Ok(one)),
        })
        .collect()
}

/// The other way, and as many bytes as are asked for; no others.
#[cfg(any(feature = "tpm", feature = "pkcs11"))]
pub(super) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * N || !text.bytes().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A text that can't be a key reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key reference: empty, too long, or not ASCII text")]
pub struct BadReference;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_reference_and_nothing_is_shown() {
        let long = "x".repeat(KeyReference::LONGEST + 1);
        for text in ["", " \n", "tpm:\0", "schlüssel", &long] {
            assert_eq!(KeyReference::parse(text), Err(BadReference));
        }
        let reference: KeyReference = "-----BEGIN PRIVATE KEY-----".parse().unwrap();
        assert_eq!(format!("{reference:?}"), "KeyReference(…)");
        assert_eq!(reference.as_str(), "-----BEGIN PRIVATE KEY-----");
    }
}
