//! Taking the bytes apart.
//!
//! Object identifiers of policies are compared as bytes and never parsed: foreign
//! certificates may hold arcs that are larger than our type for them.

use der::asn1::{AnyRef, OctetStringRef, UintRef};
use der::{Decode, Reader, SliceReader};
use spki::AlgorithmIdentifierRef;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::CertificateError;
use crate::decode::{self, explicit, is_context, object_id};
use crate::oid;
use crate::signed::Signed;
use crate::subject::{self, SubjectName};
use crate::time;

#[derive(Clone, Default)]
pub(super) struct Fields {
    pub serial: Box<[u8]>,
    pub issuer: Box<[u8]>,
    pub subject: Box<[u8]>,
    pub not_before: i64,
    pub not_after: i64,
    pub spki: Box<[u8]>,
    pub names: Vec<SubjectName>,
    pub authority_key_id: Option<Box<[u8]>>,
    pub subject_key_id: Option<Box<[u8]>>,
    pub policies: Vec<Box<[u8]>>,
    pub purposes: Vec<Box<[u8]>>,
    pub is_ca: bool,
    pub path_len: Option<u8>,
    pub key_usage: Option<KeyUsage>,
    /// A critical extension that nobody here looks at.
    pub demands_more: bool,
}

/// The extensions that are looked at, or that ask nothing of who verifies a path: those may be critical.
const UNDERSTOOD: [oid::Oid; 7] = [
    oid::SUBJECT_KEY_ID,
    oid::AUTHORITY_KEY_ID,
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::CERTIFICATE_POLICIES,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
];

pub(super) fn fields(der: &[u8]) -> Result<Fields, CertificateError> {
    let (signed, rest) = Signed::read(der)?;
    if !rest.is_empty() {
        return Err(CertificateError::TrailingBytes);
    }
    let mut reader = SliceReader::new(signed.body)?;
    let fields = reader.sequence(|body| read_body(body, &signed.algorithm))?;
    reader.finish()?;
    Ok(fields)
}

fn read_body(
    body: &mut SliceReader<'_>,
    outer: &AlgorithmIdentifierRef<'_>,
) -> Result<Fields, CertificateError> {
    let mut fields = Fields::default();
    if explicit(body, 0)?.map(AnyRef::value) != Some(&[2]) {
        return Err(CertificateError::Version);
    }
    let serial: UintRef<'_> = body.decode()?;
    fields.serial = serial.as_bytes().into();
    if AlgorithmIdentifierRef::decode(body)? != *outer {
        return Err(CertificateError::AlgorithmMismatch);
    }
    fields.issuer = body.tlv_bytes()?.into();
    (fields.not_before, fields.not_after) =
        body.sequence(|dates| Ok::<_, der::Error>((time::read(dates)?, time::read(dates)?)))?;
    fields.subject = body.tlv_bytes()?.into();
    fields.spki = body.tlv_bytes()?.into();
    // Unique identifiers (RFC 5280 section 4.1.2.8), which nobody uses.
    for number in [1, 2] {
        if is_context(body, number) {
            body.tlv_bytes()?;
        }
    }
    if let Some(extensions) = explicit(body, 3)? {
        read_extensions(extensions, &mut fields)?;
    }
    Ok(fields)
}

fn read_extensions(extensions: AnyRef<'_>, fields: &mut Fields) -> Result<(), CertificateError> {
    for one in decode::extensions(extensions, CertificateError::RepeatedExtension)? {
        read_extension(one.id, one.value, fields)?;
        fields.demands_more |=
            one.critical && !UNDERSTOOD.iter().any(|known| known.as_bytes() == one.id);
    }
    Ok(())
}

fn read_extension(id: &[u8], value: &[u8], fields: &mut Fields) -> der::Result<()> {
    if id == oid::SUBJECT_KEY_ID.as_bytes() {
        let key_id = <&OctetStringRef>::from_der(value)?;
        fields.subject_key_id = Some(key_id.as_bytes().into());
    } else if id == oid::AUTHORITY_KEY_ID.as_bytes() {
        fields.authority_key_id = decode::authority_key_id(value)?;
    } else if id == oid::BASIC_CONSTRAINTS.as_bytes() {
        let constraints = BasicConstraints::from_der(value)?;
        fields.is_ca = constraints.ca;
        fields.path_len = constraints.path_len_constraint;
    } else if id == oid::KEY_USAGE.as_bytes() {
        fields.key_usage = Some(KeyUsage::from_der(value)?);
    } else if id == oid::CERTIFICATE_POLICIES.as_bytes() {
        fields.policies = policies(value)?;
    } else if id == oid::EXTENDED_KEY_USAGE.as_bytes() {
        fields.purposes = purposes(value)?;
    } else if id == oid::SUBJECT_ALT_NAME.as_bytes() {
        fields.names = subject::read(value)?;
    }
    Ok(())
}

/// The identifiers of a `CertificatePolicies`; qualifiers are passed over.
fn policies(value: &[u8]) -> der::Result<Vec<Box<[u8]>>> {
    AnyRef::from_der(value)?.sequence(|list| {
        let mut policies = Vec::new();
        while !list.is_finished() {
            policies.push(list.sequence(|one| {
                let id = object_id(one)?;
                if !one.is_finished() {
                    one.tlv_bytes()?;
                }
                Ok::<_, der::Error>(id.into())
            })?);
        }
        Ok(policies)
    })
}

fn purposes(value: &[u8]) -> der::Result<Vec<Box<[u8]>>> {
    AnyRef::from_der(value)?.sequence(|list| {
        let mut purposes = Vec::new();
        while !list.is_finished() {
            purposes.push(object_id(list)?.into());
        }
        Ok(purposes)
    })
}
