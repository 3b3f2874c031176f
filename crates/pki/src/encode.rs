//! Writing DER: just what putting signed structures together needs.

use der::{Encode, Header, Length, Tag, TagNumber};

/// Something does not fit into DER: a name out of its character set, a time past 9999.
#[derive(Debug, thiserror::Error)]
#[error("not encodable in X.509")]
pub struct EncodeError(#[from] der::Error);

/// One element around `parts`, which are complete elements themselves.
pub(crate) fn wrap(tag: Tag, parts: &[&[u8]]) -> der::Result<Vec<u8>> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(len + 8);
    Header::new(tag, Length::try_from(len)?).encode_to_vec(&mut out)?;
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(out)
}

pub(crate) fn sequence(parts: &[&[u8]]) -> der::Result<Vec<u8>> {
    wrap(Tag::Sequence, parts)
}

/// A BIT STRING of whole octets.
pub(crate) fn bit_string(octets: &[u8]) -> der::Result<Vec<u8>> {
    wrap(Tag::BitString, &[&[0], octets])
}

/// `[number]` around what is constructed of other elements.
pub(crate) fn context(number: u32, parts: &[&[u8]]) -> der::Result<Vec<u8>> {
    wrap(
        Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(number),
        },
        parts,
    )
}
