//! Distinguished names (RFC 5280 section 4.1.2.4).

use std::fmt;

use der::asn1::AnyRef;
use der::{Decode, Encode, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::name::DirectoryString;
use x509_cert::name::Name;

use crate::encode::{self, EncodeError};
use crate::oid::{self, Oid};

/// What a distinguished name of ours may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// `O`, as UTF8String.
    Organization,
    /// `CN`, as UTF8String.
    CommonName,
    /// `serialNumber`, as PrintableString.
    SerialNumber,
}

/// A distinguished name, in DER.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName(Box<[u8]>);

impl DistinguishedName {
    /// The longest value an attribute may have, in characters (RFC 5280 appendix A.1).
    pub const MAX_VALUE: usize = 64;

    /// Writes a name of these attributes in this order, each an RDN of its own.
    ///
    /// # Errors
    /// A value is empty, too long, or outside its character set.
    pub fn new(attributes: &[(Attribute, &str)]) -> Result<Self, EncodeError> {
        let mut rdns = Vec::with_capacity(64);
        for (attribute, value) in attributes {
            rdns.extend(rdn(*attribute, value)?);
        }
        Ok(Self(encode::sequence(&[&rdns])?.into()))
    }

    /// A name read from a certificate, taken as it is.
    pub(crate) fn from_encoded(der: &[u8]) -> Self {
        Self(der.into())
    }

    /// The first organization in it, if it has a readable one.
    pub fn organization(&self) -> Option<String> {
        text(&self.0, oid::ORGANIZATION).ok().flatten()
    }

    /// Whether the other says the same, whatever kinds of strings say it: CAs like to change those.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        is_within(&self.0, &other.0) && is_within(&other.0, &self.0)
    }

    /// The DER `Name`.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for DistinguishedName {
    /// As people read it (RFC 4514): 200 characters at most, none of them a control character.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(name) = Name::from_der(&self.0) else {
            return f.write_str("(unreadable)");
        };
        let text: String = name.to_string().chars().take(200).collect();
        write!(f, "{}", text.escape_debug())
    }
}

fn rdn(attribute: Attribute, value: &str) -> der::Result<Vec<u8>> {
    let (oid, tag) = match attribute {
        Attribute::Organization => (oid::ORGANIZATION, Tag::Utf8String),
        Attribute::CommonName => (oid::COMMON_NAME, Tag::Utf8String),
        Attribute::SerialNumber => (oid::SERIAL_NUMBER, Tag::PrintableString),
    };
    if value.is_empty() || value.chars().count() > DistinguishedName::MAX_VALUE {
        return Err(tag.length_error().into());
    }
    if tag == Tag::PrintableString {
        der::asn1::PrintableStringRef::new(value)?;
    }
    let value = AnyRef::new(tag, value.as_bytes())?.to_der()?;
    let pair = encode::sequence(&[&oid.to_der()?, &value])?;
    encode::wrap(Tag::Set, &[&pair])
}

/// The first common name in a DER `Name`, if it has a readable one.
pub(crate) fn common_name(name: &[u8]) -> der::Result<Option<String>> {
    text(name, oid::COMMON_NAME)
}

/// The first serial number in a DER `Name`, if it has a readable one.
pub(crate) fn serial_number(name: &[u8]) -> der::Result<Option<String>> {
    text(name, oid::SERIAL_NUMBER)
}

fn text(name: &[u8], oid: Oid) -> der::Result<Option<String>> {
    let name = Name::from_der(name)?;
    for attribute in name.iter() {
        if attribute.oid == oid {
            let value: DirectoryString = attribute.value.decode_as()?;
            return Ok(Some(value.value().into_owned()));
        }
    }
    Ok(None)
}

/// Whether the DER `Name` has an attribute of each of these kinds. What does not read has none.
pub(crate) fn has_all(name: &[u8], kinds: &[Oid]) -> bool {
    Name::from_der(name).is_ok_and(|name| {
        let has = |kind: &Oid| name.iter().any(|attribute| attribute.oid == *kind);
        kinds.iter().all(has)
    })
}

/// Whether every attribute of the DER `Name` `part` stands in `whole` as well, whatever kind
/// of string holds it. What does not read is nowhere.
pub(crate) fn is_within(part: &[u8], whole: &[u8]) -> bool {
    let (Ok(part), Ok(whole)) = (Name::from_der(part), Name::from_der(whole)) else {
        return false;
    };
    let is_there = |wanted: &AttributeTypeAndValue| whole.iter().any(|one| is_same(wanted, one));
    part.iter().all(is_there)
}

fn is_same(one: &AttributeTypeAndValue, other: &AttributeTypeAndValue) -> bool {
    let text = |attribute: &AttributeTypeAndValue| {
        let value: der::Result<DirectoryString> = attribute.value.decode_as();
        value.ok().map(|value| value.value().into_owned())
    };
    one.oid == other.oid
        && (one.value == other.value || text(one).is_some_and(|one| Some(one) == text(other)))
}
