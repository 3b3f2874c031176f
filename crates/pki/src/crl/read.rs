//! Revocation lists, read.

use der::asn1::{AnyRef, UintRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use spki::AlgorithmIdentifierRef;

use super::CrlReason;
use crate::decode::{self, RawExtension, explicit};
use crate::key::{BadSignature, PublicKey};
use crate::oid;
use crate::signed::Signed;
use crate::time;

/// A version 2 revocation list in strict DER. That it reads says nothing about whether it is
/// to be believed: see [`Crl::verify`].
#[derive(Debug, Clone)]
pub struct Crl {
    der: Box<[u8]>,
    fields: Fields,
    count: usize,
}

/// One line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlEntry<'a> {
    /// The serial number, big-endian, without leading zeros.
    pub serial: &'a [u8],
    /// Since when (unix seconds).
    pub at: i64,
    /// Why; `None` where it is one that we never write.
    pub reason: Option<CrlReason>,
}

#[derive(Debug, Clone, Default)]
struct Fields {
    issuer: Box<[u8]>,
    this_update: i64,
    next_update: i64,
    /// The entries, one after the other.
    entries: Box<[u8]>,
    authority_key_id: Option<Box<[u8]>>,
    number: Option<u64>,
    distribution_point: Option<String>,
}

impl Crl {
    /// Reads one list and nothing after it, each of its entries looked at.
    ///
    /// # Errors
    /// Says where the bytes stop making sense. A critical extension that we don't know makes
    /// the list unusable (RFC 5280 section 5.2).
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let (signed, rest) = Signed::read(der)?;
        if !rest.is_empty() {
            return Err(CrlError::TrailingBytes);
        }
        let mut reader = SliceReader::new(signed.body)?;
        let fields = reader.sequence(|body| read_body(body, &signed.algorithm))?;
        reader.finish()?;
        let mut count = 0;
        let mut reader = SliceReader::new(&fields.entries)?;
        while !reader.is_finished() {
            read_entry(&mut reader)?;
            count += 1;
        }
        Ok(Self {
            der: der.into(),
            fields,
            count,
        })
    }

    /// Checks that the holder of `key` signed it.
    ///
    /// # Errors
    /// They did not, or with an algorithm that is not taken for the key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        let (signed, _) = Signed::read(&self.der).map_err(|_| BadSignature)?;
        key.verify_as(&signed.algorithm, signed.body, signed.signature)
            .ok_or(BadSignature)?
    }

    /// The DER it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER `Name` of who issued it.
    pub fn issuer_der(&self) -> &[u8] {
        &self.fields.issuer
    }

    /// The identifier of the key that signed it, where it says so.
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.fields.authority_key_id.as_deref()
    }

    /// Its number, where it has one.
    pub fn number(&self) -> Option<u64> {
        self.fields.number
    }

    /// When this was the state of things (unix seconds).
    pub fn this_update(&self) -> i64 {
        self.fields.this_update
    }

    /// Until when there will be a newer list (unix seconds).
    pub fn next_update(&self) -> i64 {
        self.fields.next_update
    }

    /// Where it covers but a part: the URL that certificates of this part point to.
    pub fn distribution_point(&self) -> Option<&str> {
        self.fields.distribution_point.as_deref()
    }

    /// How many certificates it lists.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it lists none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The certificates it lists, in its order.
    pub fn entries(&self) -> impl Iterator<Item = CrlEntry<'_>> {
        let mut reader = SliceReader::new(&self.fields.entries).ok();
        std::iter::from_fn(move || {
            let reader = reader.as_mut().filter(|reader| !reader.is_finished())?;
            read_entry(reader).ok()
        })
    }
}

/// Bytes that are no revocation list we can read.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    /// Not strict DER of the right shape.
    #[error("the revocation list is not well-formed DER")]
    Malformed(#[from] der::Error),
    /// Bytes after its end.
    #[error("the revocation list is followed by other bytes")]
    TrailingBytes,
    /// Version 1, which says nothing of what it covers.
    #[error("the revocation list is not of version 2")]
    Version,
    /// The algorithm inside the signature is not the one outside.
    #[error("the revocation list names two different signature algorithms")]
    AlgorithmMismatch,
    /// The same extension twice.
    #[error("the revocation list repeats an extension")]
    RepeatedExtension,
    /// It says of itself that who does not know this must not use it.
    #[error("the revocation list has a critical extension that is not known here")]
    CriticalExtension,
}

fn read_body(
    body: &mut SliceReader<'_>,
    outer: &AlgorithmIdentifierRef<'_>,
) -> Result<Fields, CrlError> {
    let mut fields = Fields::default();
    if Tag::peek(body)? != Tag::Integer || body.decode::<u8>()? != 1 {
        return Err(CrlError::Version);
    }
    if AlgorithmIdentifierRef::decode(body)? != *outer {
        return Err(CrlError::AlgorithmMismatch);
    }
    fields.issuer = body.tlv_bytes()?.into();
    fields.this_update = time::read(body)?;
    fields.next_update = time::read(body)?;
    if !body.is_finished() && Tag::peek(body)? == Tag::Sequence {
        let entries = AnyRef::decode(body)?.value();
        if entries.is_empty() {
            return Err(der::Error::from(Tag::Sequence.length_error()).into());
        }
        fields.entries = entries.into();
    }
    if let Some(extensions) = explicit(body, 0)? {
        let extensions = decode::extensions(extensions, CrlError::RepeatedExtension)?;
        read_extensions(&extensions, &mut fields)?;
    }
    Ok(fields)
}

fn read_extensions(extensions: &[RawExtension<'_>], fields: &mut Fields) -> Result<(), CrlError> {
    for one in extensions {
        if one.id == oid::AUTHORITY_KEY_ID.as_bytes() {
            fields.authority_key_id = decode::authority_key_id(one.value)?;
        } else if one.id == oid::CRL_NUMBER.as_bytes() {
            fields.number = Some(u64::from_der(one.value)?);
        } else if one.id == oid::ISSUING_DISTRIBUTION_POINT.as_bytes() {
            fields.distribution_point = Some(distribution_point(one.value)?);
        } else if one.critical {
            return Err(CrlError::CriticalExtension);
        }
    }
    Ok(())
}

/// The URL of an `IssuingDistributionPoint` that says nothing else.
fn distribution_point(value: &[u8]) -> der::Result<String> {
    let context = |number, constructed| Tag::ContextSpecific {
        constructed,
        number: TagNumber(number),
    };
    let mut inner = value;
    for tag in [
        Tag::Sequence,
        context(0, true),
        context(0, true),
        context(6, false),
    ] {
        let element = AnyRef::from_der(inner)?;
        element.tag().assert_eq(tag)?;
        inner = element.value();
    }
    match std::str::from_utf8(inner) {
        Ok(url) if url.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(url.to_owned()),
        _ => Err(Tag::Ia5String.value_error().into()),
    }
}

fn read_entry<'a>(reader: &mut SliceReader<'a>) -> Result<CrlEntry<'a>, CrlError> {
    reader.sequence(|one| {
        let serial: UintRef<'a> = one.decode()?;
        let at = time::read(one)?;
        let mut reason = Some(CrlReason::Unspecified);
        if !one.is_finished() {
            let extensions = AnyRef::decode(one)?;
            for extension in decode::extensions(extensions, CrlError::RepeatedExtension)? {
                if extension.id == oid::CRL_REASON.as_bytes() {
                    reason = CrlReason::from_code(reason_code(extension.value)?);
                } else if extension.critical {
                    return Err(CrlError::CriticalExtension);
                }
            }
        }
        Ok(CrlEntry {
            serial: serial.as_bytes(),
            at,
            reason,
        })
    })
}

/// The number of an ENUMERATED of one octet.
fn reason_code(value: &[u8]) -> der::Result<u8> {
    let code = AnyRef::from_der(value)?;
    code.tag().assert_eq(Tag::Enumerated)?;
    match code.value() {
        [code] => Ok(*code),
        _ => Err(Tag::Enumerated.length_error().into()),
    }
}
