//! Reading DER: just what taking signed structures apart needs.
//!
//! Object identifiers of extensions are compared as bytes and never parsed: what others
//! sign may hold arcs that are larger than our type for them.

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

/// The most extensions that are looked at; no certificate in the field has half of them.
const MAX_EXTENSIONS: usize = 64;

/// One extension, not looked into.
pub(crate) struct RawExtension<'a> {
    /// The content of the OBJECT IDENTIFIER.
    pub id: &'a [u8],
    pub critical: bool,
    /// The content of the OCTET STRING.
    pub value: &'a [u8],
}

/// The extensions of an `Extensions`, in their order; `repeated` where one kind comes twice.
pub(crate) fn extensions<E: From<der::Error>>(
    list: AnyRef<'_>,
    repeated: E,
) -> Result<Vec<RawExtension<'_>>, E> {
    let extensions = list.sequence(|list| {
        let mut all = Vec::new();
        while !list.is_finished() {
            if all.len() == MAX_EXTENSIONS {
                return Err(der::Error::from(Tag::Sequence.length_error()));
            }
            all.push(list.sequence(|one| {
                let id = object_id(one)?;
                let critical = Tag::peek(one)? == Tag::Boolean && one.decode()?;
                let value: &OctetStringRef = one.decode()?;
                Ok::<_, der::Error>(RawExtension {
                    id,
                    critical,
                    value: value.as_bytes(),
                })
            })?);
        }
        Ok(all)
    })?;
    let repeats = |(at, one): (usize, &RawExtension<'_>)| {
        extensions[..at].iter().any(|before| before.id == one.id)
    };
    match extensions.iter().enumerate().any(repeats) {
        true => Err(repeated),
        false => Ok(extensions),
    }
}

/// The `keyIdentifier` of an `AuthorityKeyIdentifier`; its other fields are passed over.
pub(crate) fn authority_key_id(value: &[u8]) -> der::Result<Option<Box<[u8]>>> {
    AnyRef::from_der(value)?.sequence(|inner| {
        let mut key_id = None;
        while !inner.is_finished() {
            let field = AnyRef::decode(inner)?;
            if context_number(field.tag()) == Some(0) {
                key_id = Some(field.value().into());
            }
        }
        Ok(key_id)
    })
}

/// The content of an OBJECT IDENTIFIER.
pub(crate) fn object_id<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    let any = AnyRef::decode(reader)?;
    any.tag().assert_eq(Tag::ObjectIdentifier)?;
    Ok(any.value())
}

/// What stands inside `[number] EXPLICIT`, if that is next.
pub(crate) fn explicit<'a>(
    reader: &mut SliceReader<'a>,
    number: u32,
) -> der::Result<Option<AnyRef<'a>>> {
    if !is_context(reader, number) {
        return Ok(None);
    }
    let outer = AnyRef::decode(reader)?;
    AnyRef::from_der(outer.value()).map(Some)
}

/// Whether `[number]` is next.
pub(crate) fn is_context(reader: &SliceReader<'_>, number: u32) -> bool {
    Tag::peek(reader).is_ok_and(|tag| context_number(tag) == Some(number))
}

fn context_number(tag: Tag) -> Option<u32> {
    match tag {
        Tag::ContextSpecific {
            number: TagNumber(number),
            ..
        } => Some(number),
        _ => None,
    }
}
