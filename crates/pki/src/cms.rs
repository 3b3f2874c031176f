//! Certificates in a wrapper of CMS (RFC 5652): the "certs-only" messages of EST, and the
//! `.p7b` files that CAs hand out. Nothing in them is signed by the wrapper.

use der::asn1::AnyRef;
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};

use crate::certificate::{Certificate, CertificateError};
use crate::decode::{explicit, is_context, object_id};
use crate::encode::{self, EncodeError};
use crate::oid;
use crate::pem::{self, PemError};

/// The longest file of certificates that is looked at, in bytes.
pub const MAX_FILE_LEN: usize = 1024 * 1024;

/// The most certificates that one file may hold.
pub const MAX_CERTIFICATES: usize = 64;

/// A degenerate `SignedData` (RFC 5272 section 4.1): these certificates and nothing else, in
/// DER. As a SET OF has it, they come sorted by their bytes.
///
/// # Errors
/// None that is known.
pub fn certs_only(certificates: &[&Certificate]) -> Result<Vec<u8>, EncodeError> {
    let mut set: Vec<&[u8]> = certificates.iter().map(|one| one.der()).collect();
    set.sort_unstable();
    set.dedup();
    let content = encode::sequence(&[&oid::CMS_DATA.to_der()?])?;
    let signed_data = encode::sequence(&[
        &VERSION_1,
        &EMPTY_SET,
        &content,
        &encode::context(0, &set)?,
        &EMPTY_SET,
    ])?;
    Ok(encode::sequence(&[
        &oid::CMS_SIGNED_DATA.to_der()?,
        &encode::context(0, &[&signed_data])?,
    ])?)
}

/// Every certificate in a file, whatever its form: PEM or DER, certificates one after the
/// other or in a `SignedData` (`.p7b`, `.p7c`). One at least. Their order says nothing, and
/// neither does anything else around them.
///
/// # Errors
/// There is none, there are too many, or one does not read.
pub fn certificates(file: &[u8]) -> Result<Vec<Certificate>, CmsError> {
    if file.len() > MAX_FILE_LEN {
        return Err(CmsError::TooLarge(file.len()));
    }
    let mut all = Vec::new();
    if file.first() == Some(&SEQUENCE) {
        read_der(file, &mut all)?;
    } else {
        read_pem(file, &mut all)?;
    }
    if all.is_empty() {
        return Err(CmsError::None);
    }
    Ok(all)
}

/// A file that holds no certificates we can read.
#[derive(Debug, thiserror::Error)]
pub enum CmsError {
    /// Longer than [`MAX_FILE_LEN`].
    #[error("the file is {0} bytes long; {MAX_FILE_LEN} are taken at most")]
    TooLarge(usize),
    /// More certificates than [`MAX_CERTIFICATES`].
    #[error("the file holds more than {MAX_CERTIFICATES} certificates")]
    TooMany,
    /// Not strict DER of the right shape.
    #[error("the file is not well-formed DER")]
    Malformed(#[from] der::Error),
    /// A CMS message of another kind.
    #[error("the file is a CMS message, but not one that carries certificates (SignedData)")]
    OtherContent,
    /// The text is no PEM.
    #[error("the file is not readable PEM")]
    Pem(#[from] PemError),
    /// One of the certificates does not read.
    #[error("a certificate in the file does not read")]
    Certificate(#[from] CertificateError),
    /// It holds no certificate.
    #[error("the file holds no certificate: PEM, DER and PKCS#7 (.p7b) are read")]
    None,
}

fn read_pem(text: &[u8], all: &mut Vec<Certificate>) -> Result<(), CmsError> {
    let text = std::str::from_utf8(text).map_err(|_| CmsError::None)?;
    for der in pem::certificates(text)? {
        push(&der, all)?;
    }
    for label in ["PKCS7", "CMS"] {
        if let Some(der) = pem::pem_block(text, label)? {
            read_content_info(&der, all)?;
        }
    }
    Ok(())
}

/// Elements one after the other, each a certificate or a `ContentInfo`.
fn read_der(der: &[u8], all: &mut Vec<Certificate>) -> Result<(), CmsError> {
    let mut reader = SliceReader::new(der)?;
    while !reader.is_finished() {
        let element = reader.tlv_bytes()?;
        let first = AnyRef::from_der(element)?.value().first();
        // A certificate begins with what is signed, a ContentInfo with what it is.
        if first == Some(&OBJECT_ID) {
            read_content_info(element, all)?;
        } else {
            push(element, all)?;
        }
    }
    Ok(())
}

fn read_content_info(der: &[u8], all: &mut Vec<Certificate>) -> Result<(), CmsError> {
    AnyRef::from_der(der)?.sequence(|info| {
        if object_id(info)? != oid::CMS_SIGNED_DATA.as_bytes() {
            return Err(CmsError::OtherContent);
        }
        let Some(signed_data) = explicit(info, 0)? else {
            return Err(CmsError::OtherContent);
        };
        signed_data.sequence(|data| read_signed_data(data, all))
    })
}

fn read_signed_data(
    data: &mut SliceReader<'_>,
    all: &mut Vec<Certificate>,
) -> Result<(), CmsError> {
    for tag in [Tag::Integer, Tag::Set, Tag::Sequence] {
        AnyRef::decode(data)?.tag().assert_eq(tag)?;
    }
    if is_context(data, 0) {
        let certificates = AnyRef::decode(data)?;
        certificates.tag().assert_eq(CERTIFICATES)?;
        let mut reader = SliceReader::new(certificates.value())?;
        while !reader.is_finished() {
            push(reader.tlv_bytes()?, all)?;
        }
    }
    // Revocation lists and signatures, which nobody asked for.
    while !data.is_finished() {
        data.tlv_bytes()?;
    }
    Ok(())
}

fn push(der: &[u8], all: &mut Vec<Certificate>) -> Result<(), CmsError> {
    if all.len() == MAX_CERTIFICATES {
        return Err(CmsError::TooMany);
    }
    all.push(Certificate::from_der(der)?);
    Ok(())
}

/// `[0] IMPLICIT SET OF`.
const CERTIFICATES: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
/// INTEGER 1.
const VERSION_1: [u8; 3] = [0x02, 1, 1];
const EMPTY_SET: [u8; 2] = [0x31, 0];
const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
