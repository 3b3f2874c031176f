//! What is asked (RFC 6960 section 4.1).

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Reader, SliceReader};

use super::CertId;
use crate::decode::{self, RawExtension, explicit, is_context};
use crate::encode::{self, EncodeError};
use crate::extension::Extension;
use crate::oid;

/// The longest request that is looked at, in bytes of DER: room for a signature with its
/// chain, which is passed over.
pub const MAX_OCSP_REQUEST_LEN: usize = 16 * 1024;

/// The most certificates that one request may ask about.
pub const MAX_OCSP_CERTS: usize = 32;

/// The longest nonce (RFC 9654 section 2.1).
const MAX_NONCE: usize = 128;

/// An OCSP request. Who signed it, if anybody did, is not looked at: everybody gets the
/// same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    /// What is asked about: 1 to [`MAX_OCSP_CERTS`].
    pub certs: Vec<CertId>,
    /// What the answer is to repeat, 1 to 128 bytes.
    pub nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Reads a request in strict DER.
    ///
    /// # Errors
    /// Each way to fail has a variant of its own; size is checked before all else. To every
    /// one of them the answer is [`super::OcspError::MalformedRequest`].
    pub fn from_der(der: &[u8]) -> Result<Self, OcspRequestError> {
        if der.len() > MAX_OCSP_REQUEST_LEN {
            return Err(OcspRequestError::TooLarge(der.len()));
        }
        let mut reader = SliceReader::new(der)?;
        let request = reader.sequence(|outer| {
            let request = outer.sequence(read)?;
            explicit(outer, 0)?;
            Ok::<_, OcspRequestError>(request)
        })?;
        reader.finish()?;
        Ok(request)
    }

    /// The request in DER, unsigned.
    ///
    /// # Errors
    /// The nonce does not encode.
    pub fn to_der(&self) -> Result<Vec<u8>, EncodeError> {
        let mut certs = Vec::new();
        for cert in &self.certs {
            certs.extend(encode::sequence(&[cert.der()])?);
        }
        let mut body = encode::sequence(&[&certs])?;
        if let Some(nonce) = &self.nonce {
            let nonce = Extension::ocsp_nonce(nonce)?;
            body.extend(encode::context(2, &[&encode::sequence(&[nonce.der()])?])?);
        }
        Ok(encode::sequence(&[&encode::sequence(&[&body])?])?)
    }
}

/// An OCSP request that is refused.
#[derive(Debug, thiserror::Error)]
pub enum OcspRequestError {
    /// Longer than [`MAX_OCSP_REQUEST_LEN`].
    #[error("the OCSP request is {0} bytes long; {MAX_OCSP_REQUEST_LEN} are taken at most")]
    TooLarge(usize),
    /// Not strict DER of the right shape.
    #[error("the OCSP request is not well-formed DER")]
    Malformed(#[from] der::Error),
    /// A version other than 1, which DER leaves out.
    #[error("the OCSP request is not of version 1")]
    Version,
    /// It asks about nothing.
    #[error("the OCSP request asks about no certificate")]
    Empty,
    /// It asks about more than [`MAX_OCSP_CERTS`].
    #[error("the OCSP request asks about more than {MAX_OCSP_CERTS} certificates")]
    TooMany,
    /// A nonce that is empty or of more than 128 bytes.
    #[error("the nonce of the OCSP request is not of 1 to 128 bytes")]
    Nonce,
    /// The same extension twice.
    #[error("the OCSP request repeats an extension")]
    RepeatedExtension,
    /// It says of itself that who does not know this must not answer it.
    #[error("the OCSP request has a critical extension that is not known here")]
    CriticalExtension,
}

/// A `TBSRequest`.
fn read(body: &mut SliceReader<'_>) -> Result<OcspRequest, OcspRequestError> {
    if is_context(body, 0) {
        return Err(OcspRequestError::Version);
    }
    // The name of who asks.
    explicit(body, 1)?;
    let certs = body.sequence(read_list)?;
    let mut nonce = None;
    if let Some(extensions) = explicit(body, 2)? {
        for one in known(extensions)? {
            if one.id == oid::OCSP_NONCE.as_bytes() {
                nonce = Some(read_nonce(one.value)?);
            } else if one.critical {
                return Err(OcspRequestError::CriticalExtension);
            }
        }
    }
    Ok(OcspRequest { certs, nonce })
}

fn read_list(list: &mut SliceReader<'_>) -> Result<Vec<CertId>, OcspRequestError> {
    let mut certs = Vec::new();
    while !list.is_finished() {
        if certs.len() == MAX_OCSP_CERTS {
            return Err(OcspRequestError::TooMany);
        }
        certs.push(list.sequence(|one| {
            let id = CertId::read(one)?;
            if let Some(extensions) = explicit(one, 0)?
                && known(extensions)?.iter().any(|one| one.critical)
            {
                return Err(OcspRequestError::CriticalExtension);
            }
            Ok(id)
        })?);
    }
    if certs.is_empty() {
        return Err(OcspRequestError::Empty);
    }
    Ok(certs)
}

fn known(extensions: AnyRef<'_>) -> Result<Vec<RawExtension<'_>>, OcspRequestError> {
    decode::extensions(extensions, OcspRequestError::RepeatedExtension)
}

fn read_nonce(value: &[u8]) -> Result<Vec<u8>, OcspRequestError> {
    let nonce = <&OctetStringRef>::from_der(value)?.as_bytes();
    if nonce.is_empty() || nonce.len() > MAX_NONCE {
        return Err(OcspRequestError::Nonce);
    }
    Ok(nonce.to_vec())
}
