//! Device certificates: an LDevID in the sense of IEEE 802.1AR.

use std::time::Duration;

use enlist_attest::Verified;
use enlist_core::{CertificateProfile, CsrExtras, DeviceId, Name, Serial, Timestamp};
use enlist_pki::{Attribute, Certificate, DistinguishedName, Extension, SubjectName};

use crate::validity::Validity;
use crate::{IssueRefusal, IssuingCa};

/// Whom a device certificate is for.
#[derive(Debug, Clone, Copy)]
pub struct DeviceSubject<'a> {
    /// The device.
    pub id: DeviceId,
    /// Its name.
    pub name: &'a Name,
    /// The name of its group.
    pub group: &'a Name,
    /// The name of its tenant.
    pub tenant: &'a Name,
}

impl IssuingCa {
    /// Issues a certificate over the verified key: `CN` the device's name, `serialNumber`
    /// its id, the DNS name `{device}.{group}.{tenant}` with the profile's suffix, the URI
    /// `urn:uuid:{id}`. Valid from five minutes ago for `lifetime` (which the profile
    /// allows: see [`CertificateProfile::lifetime_for`]), and no longer than the CA itself.
    ///
    /// Nothing that the CSR asks for gets in; where the profile says so, asking is refused.
    ///
    /// # Errors
    /// Says why nothing is issued.
    pub fn device(
        &self,
        verified: &Verified,
        subject: &DeviceSubject<'_>,
        profile: &CertificateProfile,
        lifetime: Duration,
        serial: Serial,
        now: Timestamp,
    ) -> Result<Certificate, IssueRefusal> {
        if profile.extras == CsrExtras::Refuse && asks_for_more(verified, subject) {
            return Err(IssueRefusal::Extras);
        }
        let validity = Validity::under(Some(self.certificate()), lifetime, now)?;
        let id = subject.id.to_string();
        let name = DistinguishedName::new(&[
            (Attribute::CommonName, subject.name.as_str()),
            (Attribute::SerialNumber, &id),
        ])?;
        let names = Extension::subject_names(&[
            SubjectName::Dns(dns_name(subject, profile)),
            SubjectName::Uri(format!("urn:uuid:{id}")),
        ])?;
        let purposes = if profile.server_auth {
            &self.parts.client_and_server
        } else {
            &self.parts.client
        };
        let mut extensions = vec![&self.parts.key_usage, purposes, &names];
        extensions.extend(&self.parts.pointers);
        self.authority
            .issue(serial, &name, verified.key(), validity, &extensions)
    }
}

/// A common name that is the device's anyway is nothing more.
fn asks_for_more(verified: &Verified, subject: &DeviceSubject<'_>) -> bool {
    let requested = verified.requested();
    let other_name = requested
        .common_name
        .as_deref()
        .is_some_and(|name| name != subject.name.as_str());
    other_name || !requested.is_plain()
}

fn dns_name(subject: &DeviceSubject<'_>, profile: &CertificateProfile) -> String {
    let mut name = format!(
        "{}.{}.{}",
        subject.name.as_str(),
        subject.group.as_str(),
        subject.tenant.as_str()
    );
    if let Some(suffix) = &profile.dns_suffix {
        name.push('.');
        name.push_str(suffix);
    }
    name
}
