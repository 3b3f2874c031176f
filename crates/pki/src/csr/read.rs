//! Taking `CertificationRequestInfo` apart (RFC 2986 section 4).

use der::asn1::{ContextSpecific, SetOfVec};
use der::{Decode, Encode, Reader, SliceReader, TagNumber};
use x509_cert::attr::Attribute;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::BasicConstraints;

use super::{CsrError, Requested};
use crate::{name, oid, subject};

pub(super) struct Info<'a> {
    pub subject: &'a [u8],
    pub spki: &'a [u8],
    pub requested: Requested,
}

pub(super) fn info(der: &[u8]) -> Result<Info<'_>, CsrError> {
    let mut reader = SliceReader::new(der)?;
    let info = reader.sequence(|body| {
        if body.decode::<u8>()? != 0 {
            return Err(CsrError::Version);
        }
        let subject = body.tlv_bytes()?;
        let spki = body.tlv_bytes()?;
        let attributes =
            ContextSpecific::<SetOfVec<Attribute>>::decode_implicit(body, TagNumber(0))?
                .ok_or_else(|| der::Error::from(der::Tag::Set.value_error()))?;
        let mut requested = Requested {
            common_name: name::common_name(subject)?,
            ..Requested::default()
        };
        for attribute in attributes.value.iter() {
            if matches!(
                attribute.oid,
                oid::EXTENSION_REQUEST | oid::MS_EXTENSION_REQUEST
            ) {
                read_extensions(attribute, &mut requested)?;
            }
            requested.encrypted_key |= matches!(
                attribute.oid,
                oid::DECRYPT_KEY_ID | oid::ASYMMETRIC_DECRYPT_KEY_ID
            );
        }
        Ok(Info {
            subject,
            spki,
            requested,
        })
    })?;
    reader.finish()?;
    Ok(info)
}

fn read_extensions(attribute: &Attribute, requested: &mut Requested) -> Result<(), CsrError> {
    for value in attribute.values.iter() {
        for extension in Vec::<Extension>::from_der(&value.to_der()?)? {
            if requested.extensions.contains(&extension.extn_id) {
                return Err(CsrError::RepeatedExtension);
            }
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                oid::BASIC_CONSTRAINTS => requested.ca |= BasicConstraints::from_der(value)?.ca,
                oid::SUBJECT_ALT_NAME => requested.names.extend(subject::read(value)?),
                _ => {}
            }
            requested.extensions.push(extension.extn_id);
        }
    }
    Ok(())
}
