//! The envelope that certificates, CSRs and revocation lists share: `SIGNED{}` of RFC 5280 section 4.1.

use der::asn1::BitStringRef;
use der::{Encode, Reader, SliceReader};
use spki::AlgorithmIdentifierRef;

use crate::algorithm::SignatureScheme;
use crate::encode;
use crate::signer::{SignError, Signer};

/// What was signed, kept as the very bytes it came in, and the signature over it.
pub(crate) struct Signed<'a> {
    pub body: &'a [u8],
    pub algorithm: AlgorithmIdentifierRef<'a>,
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads one envelope and returns what follows it.
    pub fn read(der: &'a [u8]) -> der::Result<(Self, &'a [u8])> {
        let mut reader = SliceReader::new(der)?;
        let signed = reader.sequence(|inner| {
            let body = inner.tlv_bytes()?;
            let algorithm = inner.decode()?;
            let signature: BitStringRef<'a> = inner.decode()?;
            let signature = signature
                .as_bytes()
                .ok_or_else(|| der::Error::from(der::Tag::BitString.value_error()))?;
            Ok::<_, der::Error>(Self {
                body,
                algorithm,
                signature,
            })
        })?;
        let rest = reader.read_slice(reader.remaining_len())?;
        Ok((signed, rest))
    }
}

/// Signs `body` and puts the envelope around it.
pub(crate) fn sign(body: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, SealError> {
    let algorithm = SignatureScheme::identifier(signer.public_key().kind()).to_der()?;
    let signature = signer.sign(body)?;
    Ok(encode::sequence(&[
        body,
        &algorithm,
        &encode::bit_string(&signature)?,
    ])?)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Encode(#[from] der::Error),
    #[error(transparent)]
    Sign(#[from] SignError),
}
