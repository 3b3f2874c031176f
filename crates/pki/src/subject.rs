//! The names a certificate or a CSR gives its subject (RFC 5280 section 4.2.1.6).

use std::net::IpAddr;

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber};
use rustls_pki_types::ServerName;

use crate::decode::{explicit, object_id};
use crate::encode;
use crate::oid::{self, Oid};

/// One `GeneralName`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubjectName {
    /// A DNS name, ASCII.
    Dns(String),
    /// A URI, ASCII.
    Uri(String),
    /// An IP address.
    Ip(IpAddr),
    /// A mail address, ASCII.
    Email(String),
    /// A piece of hardware: hardwareModuleName (RFC 4108 section 5), as IEEE 802.1AR has it.
    HardwareModule {
        /// What kind of number it is: see [`crate::oid::hardware`].
        hw_type: Oid,
        /// The number.
        serial: Vec<u8>,
    },
    /// Of another kind, or not readable as one of these: its DER.
    Other(Vec<u8>),
}

impl SubjectName {
    /// The name of a host: an IP address, or else a DNS name, made lowercase. `None` where
    /// it is neither.
    pub fn host(text: &str) -> Option<Self> {
        match ServerName::try_from(text.to_ascii_lowercase()).ok()? {
            ServerName::DnsName(name) => Some(Self::Dns(name.as_ref().to_owned())),
            ServerName::IpAddress(ip) => Some(Self::Ip(ip.into())),
            _ => None,
        }
    }

    pub(crate) fn to_der(&self) -> der::Result<Vec<u8>> {
        match self {
            Self::Email(text) => ascii(1, text),
            Self::Dns(text) => ascii(2, text),
            Self::Uri(text) => ascii(6, text),
            Self::Ip(IpAddr::V4(ip)) => primitive(7, &ip.octets()),
            Self::Ip(IpAddr::V6(ip)) => primitive(7, &ip.octets()),
            Self::HardwareModule { hw_type, serial } => {
                let serial = OctetStringRef::new(serial)?.to_der()?;
                let name = encode::sequence(&[&hw_type.to_der()?, &serial])?;
                let name = encode::context(0, &[&name])?;
                encode::context(0, &[&oid::HARDWARE_MODULE_NAME.to_der()?, &name])
            }
            Self::Other(der) => Ok(der.clone()),
        }
    }

    fn from_element(element: AnyRef<'_>) -> der::Result<Self> {
        let Tag::ContextSpecific { number, .. } = der::Tagged::tag(&element) else {
            return Err(der::Tagged::tag(&element).unexpected_error(None).into());
        };
        let value = element.value();
        Ok(match (number, value.len()) {
            (TagNumber(0), _) => match hardware_module(value) {
                Ok((hw_type, serial)) => Self::HardwareModule { hw_type, serial },
                Err(_) => Self::Other(element.to_der()?),
            },
            (TagNumber(1), _) if is_plain(value) => Self::Email(ia5(value)?),
            (TagNumber(2), _) if is_plain(value) => Self::Dns(ia5(value)?),
            (TagNumber(6), _) if is_plain(value) => Self::Uri(ia5(value)?),
            (TagNumber(7), 4) => Self::Ip(IpAddr::from(octets::<4>(value)?)),
            (TagNumber(7), 16) => Self::Ip(IpAddr::from(octets::<16>(value)?)),
            _ => Self::Other(element.to_der()?),
        })
    }
}

/// A `GeneralNames`.
pub(crate) fn write(names: &[SubjectName]) -> der::Result<Vec<u8>> {
    let mut all = Vec::with_capacity(64);
    for name in names {
        all.extend(name.to_der()?);
    }
    encode::sequence(&[&all])
}

/// Reads a `GeneralNames`.
pub(crate) fn read(der: &[u8]) -> der::Result<Vec<SubjectName>> {
    let mut reader = SliceReader::new(der)?;
    let names = reader.sequence(|inner| {
        let mut names = Vec::new();
        while !inner.is_finished() {
            names.push(SubjectName::from_element(AnyRef::decode(inner)?)?);
        }
        Ok::<_, der::Error>(names)
    })?;
    reader.finish()?;
    Ok(names)
}

/// `[number] IMPLICIT IA5String`.
pub(crate) fn ascii(number: u32, text: &str) -> der::Result<Vec<u8>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Tag::Ia5String.value_error().into());
    }
    primitive(number, text.as_bytes())
}

fn primitive(number: u32, value: &[u8]) -> der::Result<Vec<u8>> {
    let tag = Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(number),
    };
    encode::wrap(tag, &[value])
}

/// The content of an `OtherName` that is a hardwareModuleName.
fn hardware_module(value: &[u8]) -> der::Result<(Oid, Vec<u8>)> {
    let mut reader = SliceReader::new(value)?;
    if object_id(&mut reader)? != oid::HARDWARE_MODULE_NAME.as_bytes() {
        return Err(Tag::ObjectIdentifier.value_error().into());
    }
    let name =
        explicit(&mut reader, 0)?.ok_or_else(|| der::Error::from(Tag::Sequence.value_error()))?;
    reader.finish()?;
    name.sequence(|name| {
        let hw_type = Oid::decode(name)?;
        let serial: &OctetStringRef = name.decode()?;
        Ok((hw_type, serial.as_bytes().to_vec()))
    })
}

/// A name with a NUL or another control character in it is none that anybody should compare
/// or show.
fn is_plain(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_control)
}

fn ia5(value: &[u8]) -> der::Result<String> {
    match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(Tag::Ia5String.value_error().into()),
    }
}

fn octets<const N: usize>(value: &[u8]) -> der::Result<[u8; N]> {
    value
        .try_into()
        .map_err(|_| Tag::OctetString.length_error().into())
}
