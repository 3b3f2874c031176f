//! The certificate that a device's manufacturer has put into it (IEEE 802.1AR).

use std::fmt::Write as _;

use enlist_core::{HardwareIdentity, HardwareKind, Name, NotAnIdentity, Timestamp};
use enlist_pki::manufacturer::{self, Manufacturer, NotVouched, Vouching};
use enlist_pki::{Certificate, CertificateError, Csr, KeyPurpose};

use crate::Attested;

/// The largest certificate that is looked at, in bytes.
const LARGEST: usize = 8192;

/// An IDevID as it was shown, and what came with it. That whoever shows it holds its key is for the TLS
/// handshake to prove.
#[derive(Debug)]
pub struct Idevid {
    certificate: Certificate,
    above: Vec<Certificate>,
    serial: String,
}

/// Why an IDevID is refused.
#[derive(Debug, thiserror::Error)]
pub enum IdevidRefusal {
    /// The connection shows none.
    #[error(
        "the connection shows no client certificate: connect with the manufacturer's certificate and its key"
    )]
    NotShown,
    /// More certificates than are looked at, or a larger one.
    #[error(
        "more than {} certificates, or one of more than {LARGEST} bytes",
        manufacturer::MAX_PATH
    )]
    TooMuch,
    /// It does not read.
    #[error("the manufacturer's certificate can't be read")]
    Malformed(#[source] CertificateError),
    /// Its key is not for signing (keyUsage).
    #[error("the manufacturer's certificate does not let its key sign (keyUsage digitalSignature)")]
    KeyUsage,
    /// It says what it is for, and that is not this (extKeyUsage).
    #[error(
        "the manufacturer's certificate is for something else (extKeyUsage without clientAuth)"
    )]
    Purpose,
    /// It does not say which device it is.
    #[error(
        "the manufacturer's certificate names no device: it has neither a serialNumber in its subject nor a hardwareModuleName"
    )]
    NoSerial,
    /// It says so in a way that can't be kept.
    #[error("the serial number in the manufacturer's certificate can't be kept")]
    Serial(#[source] NotAnIdentity),
    /// No manufacturer that was imported vouches for it.
    #[error("the manufacturer's certificate is not vouched for")]
    NotVouched(#[source] NotVouched),
}

impl Idevid {
    /// Reads what a client has shown: its own certificate first, DER. What does not read of the others is
    /// left out, as clients send along whatever they have.
    ///
    /// # Errors
    /// It is no certificate that could be an IDevID.
    pub fn read(chain: &[Vec<u8>]) -> Result<Self, IdevidRefusal> {
        let (own, above) = chain.split_first().ok_or(IdevidRefusal::NotShown)?;
        if chain.len() > manufacturer::MAX_PATH || chain.iter().any(|one| one.len() > LARGEST) {
            return Err(IdevidRefusal::TooMuch);
        }
        let certificate = Certificate::from_der(own).map_err(IdevidRefusal::Malformed)?;
        if certificate.is_ca() {
            return Err(IdevidRefusal::NotVouched(NotVouched::IsACa));
        }
        if certificate.signs() == Some(false) {
            return Err(IdevidRefusal::KeyUsage);
        }
        let may_be_a_client = [KeyPurpose::ClientAuth, KeyPurpose::Any]
            .into_iter()
            .any(|purpose| certificate.has_purpose(purpose));
        if certificate.states_purposes() && !may_be_a_client {
            return Err(IdevidRefusal::Purpose);
        }
        let serial = manufacturer::idevid_serial(&certificate).ok_or(IdevidRefusal::NoSerial)?;
        Ok(Self {
            certificate,
            above: above
                .iter()
                .filter_map(|der| Certificate::from_der(der).ok())
                .collect(),
            serial: printable(&serial),
        })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Which device it says it is, and who says so: proved by nothing. For people to read.
    pub fn claim(&self) -> String {
        let serial: String = self.serial.chars().take(128).collect();
        format!("serial number {serial}, by {}", self.certificate.issuer())
    }

    /// Verifies that one of `manufacturers` vouches for it. The device is `idevid:` with the name of the
    /// first that does, a slash and its serial number; in that, bytes that are not printable ASCII, blanks
    /// at the ends and percent signs are written as `%` and two hexadecimal digits, so that no two are
    /// written alike.
    ///
    /// # Errors
    /// None does. Says what stands in the way of the first that knows its issuer.
    pub fn verify<'a>(
        &self,
        manufacturers: impl IntoIterator<Item = (&'a Name, &'a Manufacturer)>,
        csr: &Csr,
        now: Timestamp,
    ) -> Result<Attested, IdevidRefusal> {
        let (names, all): (Vec<_>, Vec<_>) = manufacturers.into_iter().unzip();
        let (own, above, vouching) = (&self.certificate, &self.above, Vouching::Identity);
        let name = manufacturer::voucher(all, own, above, vouching, now.as_secs())
            .map_err(IdevidRefusal::NotVouched)
            .map(|place| names.get(place).copied())?
            .ok_or(IdevidRefusal::NotVouched(NotVouched::UnknownIssuer))?;
        Ok(Attested::new(self.identity(name)?, None, csr))
    }

    fn identity(&self, manufacturer: &Name) -> Result<HardwareIdentity, IdevidRefusal> {
        let value = format!("{manufacturer}/{}", self.serial);
        HardwareIdentity::new(HardwareKind::Idevid, &value).map_err(IdevidRefusal::Serial)
    }
}

/// A serial number in printable ASCII, no two alike.
fn printable(serial: &[u8]) -> String {
    let last = serial.len().saturating_sub(1);
    let mut text = String::with_capacity(serial.len());
    for (at, byte) in serial.iter().enumerate() {
        let within = at != 0 && at != last;
        if *byte != b'%' && (byte.is_ascii_graphic() || (*byte == b' ' && within)) {
            text.push(char::from(*byte));
        } else {
            // Writing to a String never fails.
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_serial_numbers_are_written_alike() {
        let mut seen = HashSet::new();
        let mut all: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        for first in 0..=255 {
            for second in [b' ', b'%', b'2', b'0', 0, 0xff] {
                all.push(vec![first, second]);
                all.push(vec![b'%', first, second]);
            }
        }
        let many = all.iter().collect::<HashSet<_>>().len();
        for serial in &all {
            let text = printable(serial);
            assert!(
                text.bytes()
                    .all(|byte| byte == b' ' || byte.is_ascii_graphic())
            );
            assert_eq!(text.trim(), text, "blanks at the ends are lost");
            seen.insert(text);
        }
        assert_eq!(seen.len(), many);
        assert_eq!(printable(b"SN 4711/a"), "SN 4711/a");
    }
}
