//! Certificates that manufacturers put into hardware, and whether they are to be believed.
//!
//! Those of endorsement keys (TCG EK Credential Profile) and of IDevIDs (IEEE 802.1AR) are not like
//! those of servers: the subject may be empty and the name a critical subjectAltName of kind
//! directoryName; they may never end (99991231235959Z); what they are for often goes unsaid.
//! Pure: what is presented, whom to trust and the time come in, a verdict goes out.

mod climb;
mod error;
mod purpose;

use std::collections::HashMap;

use spki::SubjectPublicKeyInfoRef;

use crate::certificate::{self, Certificate, CertificateError};
use crate::key::{KeyKind, PublicKey};
use crate::name;
use crate::oid;
use crate::subject::SubjectName;

pub use error::NotVouched;

/// The longest path that is looked at, from the device's certificate to the root, both included.
pub const MAX_PATH: usize = 8;

/// What the certificate in the hardware has to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouching {
    /// The endorsement key of a TPM: the certificate has to say so, by its purpose (extKeyUsage
    /// 2.23.133.8.1) or, where it states none, by naming the TPM; and not that its key signs.
    Endorsement,
    /// The identity of a device: whatever the certificate says, or nothing, but not that it is for an
    /// endorsement key.
    Identity,
}

/// The CAs of one manufacturer, as somebody who believes them has imported them: roots, and any CAs
/// between.
///
/// Trusted are those at the top: roots, and CAs whose issuer was not imported as well.
#[derive(Debug, Clone, Default)]
pub struct Manufacturer {
    certificates: Vec<Certificate>,
    by_subject: HashMap<Box<[u8]>, Vec<usize>>,
}

impl Manufacturer {
    /// Reads the CAs in a PEM text.
    ///
    /// # Errors
    /// There is none, or one does not read.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        certificate::chain_from_pem(text).map(Self::new)
    }

    /// Takes these CAs.
    pub fn new(certificates: Vec<Certificate>) -> Self {
        let mut by_subject: HashMap<Box<[u8]>, Vec<usize>> = HashMap::new();
        for (at, one) in certificates.iter().enumerate() {
            by_subject
                .entry(one.subject_der().into())
                .or_default()
                .push(at);
        }
        Self {
            certificates,
            by_subject,
        }
    }

    /// The CAs, in the order in which they came.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Verifies that `leaf` chains to one of the trusted CAs, through some of `given` and of those that
    /// were imported, at `now` (unix seconds).
    ///
    /// # Errors
    /// Says what stands between the two.
    pub fn vouches_for(
        &self,
        leaf: &Certificate,
        given: &[Certificate],
        vouching: Vouching,
        now: i64,
    ) -> Result<(), NotVouched> {
        climb::to_the_top(self, leaf, given, vouching, now, &mut { climb::MAX_CHECKS })
    }

    /// Whether one of its CAs is called as the issuer of one of these.
    fn is_above(&self, leaf: &Certificate, given: &[Certificate]) -> bool {
        let mut all = std::iter::once(leaf).chain(given);
        all.any(|one| self.by_subject.contains_key(one.issuer_der()))
    }

    /// Those that are called this.
    fn called<'a>(&'a self, subject: &[u8]) -> impl Iterator<Item = &'a Certificate> + use<'a> {
        let places = self.by_subject.get(subject).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.certificates.get(*at))
    }

    /// Whether a path may end at this one of its CAs: it is called as its issuer is, or no CA of its
    /// issuer's name was imported.
    pub fn is_anchor(&self, certificate: &Certificate) -> bool {
        let issuer = certificate.issuer_der();
        issuer == certificate.subject_der() || !self.by_subject.contains_key(issuer)
    }
}

/// Which of `manufacturers`, by its place among them, vouches for `leaf`: the first that does, as by
/// [`Manufacturer::vouches_for`]. No more signatures are checked than for one alone.
///
/// # Errors
/// None does. Says what the first failed at that knows its issuer.
pub fn voucher<'a>(
    manufacturers: impl IntoIterator<Item = &'a Manufacturer>,
    leaf: &Certificate,
    given: &[Certificate],
    vouching: Vouching,
    now: i64,
) -> Result<usize, NotVouched> {
    purpose::fits(leaf, vouching)?;
    let mut checks = climb::MAX_CHECKS;
    let mut refusal = None;
    for (place, one) in manufacturers.into_iter().enumerate() {
        if !one.is_above(leaf, given) {
            continue;
        }
        match climb::to_the_top(one, leaf, given, vouching, now, &mut checks) {
            Ok(()) => return Ok(place),
            Err(NotVouched::UnknownIssuer) => {}
            Err(other) => refusal = refusal.or(Some(other)),
        }
    }
    Err(refusal.unwrap_or(NotVouched::UnknownIssuer))
}

/// Whether a CA has signed itself.
pub fn is_root(ca: &Certificate) -> bool {
    ca.issuer_der() == ca.subject_der() && climb::is_signed(ca, ca).is_ok()
}

/// Whether any path leads over this CA, now or another time.
///
/// # Errors
/// Why none does.
pub fn may_be_climbed(ca: &Certificate) -> Result<(), NotVouched> {
    if ca.demands_more() {
        return Err(NotVouched::CriticalExtension);
    }
    ca.public_key().map_err(NotVouched::Key)?;
    climb::may_issue(ca, 0)
}

/// Whether it is `key` that the certificate certifies. Some makers of TPMs say of an RSA key that it is
/// for OAEP, which makes another `SubjectPublicKeyInfo` of the same key.
pub fn certifies(certificate: &Certificate, key: &PublicKey) -> bool {
    if certificate.spki_der() == key.spki_der() {
        return true;
    }
    let Ok(info) = SubjectPublicKeyInfoRef::try_from(certificate.spki_der()) else {
        return false;
    };
    matches!(key.kind(), KeyKind::Rsa(_))
        && info.algorithm.oid == oid::RSA_OAEP
        && info.subject_public_key.as_bytes() == Some(key.bits())
}

/// The serial number by which an IDevID names its device: the subject's serialNumber (IEEE 802.1AR
/// section 8.6), or else that of its hardwareModuleName (RFC 4108 section 5), which may be any bytes.
/// `None` where it has neither.
pub fn idevid_serial(certificate: &Certificate) -> Option<Vec<u8>> {
    let subject = name::serial_number(certificate.subject_der());
    if let Some(serial) = subject.ok().flatten().filter(|serial| !serial.is_empty()) {
        return Some(serial.into_bytes());
    }
    certificate.names().iter().find_map(|name| match name {
        SubjectName::HardwareModule { serial, .. } if !serial.is_empty() => Some(serial.clone()),
        _ => None,
    })
}
