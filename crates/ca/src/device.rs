//! Device certificates: an LDevID in the sense of IEEE 802.1AR.

use std::time::Duration;

use enlist_attest::Verified;
use enlist_core::{
    CertificateProfile, CsrExtras, DeviceId, HardwareIdentity, HardwareKind, Name, Serial,
    Timestamp,
};
use enlist_pki::{
    Attribute, Certificate, DistinguishedName, Extension, PublicKey, SubjectName, oid,
};

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
    /// Its hardware identity, where one is on record.
    pub hardware: Option<&'a HardwareIdentity>,
}

impl IssuingCa {
    /// Issues a certificate over the verified key: `CN` the device's name, `serialNumber`
    /// its id, the DNS name `{device}.{group}.{tenant}` with the profile's suffix, the URI
    /// `urn:uuid:{id}`, and where its hardware is known, that as a hardwareModuleName (RFC
    /// 4108 section 5; the kinds are listed in [`enlist_pki::oid::hardware`]). Valid from five minutes ago for `lifetime` (which the profile
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
        self.certify(verified.key(), subject, profile, lifetime, serial, now)
    }

    /// A certificate as a device of this group would get, over the CA's own key, which makes it of no use
    /// to anybody: to see whether what this CA issues is believed, and to be thrown away then.
    ///
    /// # Errors
    /// Says why nothing is issued.
    pub fn trial(
        &self,
        subject: &DeviceSubject<'_>,
        profile: &CertificateProfile,
        serial: Serial,
        now: Timestamp,
    ) -> Result<Certificate, IssueRefusal> {
        let key = self.certificate().public_key()?;
        self.certify(&key, subject, profile, profile.lifetime, serial, now)
    }

    fn certify(
        &self,
        key: &PublicKey,
        subject: &DeviceSubject<'_>,
        profile: &CertificateProfile,
        lifetime: Duration,
        serial: Serial,
        now: Timestamp,
    ) -> Result<Certificate, IssueRefusal> {
        let validity = Validity::under(Some(self.certificate()), lifetime, now)?;
        let id = subject.id.to_string();
        let name = DistinguishedName::new(&[
            (Attribute::CommonName, subject.name.as_str()),
            (Attribute::SerialNumber, &id),
        ])?;
        let mut names = vec![
            SubjectName::Dns(dns_name(subject, profile)),
            SubjectName::Uri(format!("urn:uuid:{id}")),
        ];
        names.extend(subject.hardware.map(hardware_name));
        let names = Extension::subject_names(&names)?;
        let purposes = if profile.server_auth {
            &self.parts.client_and_server
        } else {
            &self.parts.client
        };
        let mut extensions = vec![&self.parts.key_usage, purposes, &names];
        let crl = self.parts.crl.of(serial)?;
        extensions.extend(crl.as_deref());
        extensions.extend(&self.parts.issuer_urls);
        self.authority
            .issue(serial, &name, key, validity, &extensions)
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

fn hardware_name(hardware: &HardwareIdentity) -> SubjectName {
    let hw_type = match hardware.kind() {
        HardwareKind::Serial => oid::hardware::SERIAL,
        HardwareKind::Uuid => oid::hardware::UUID,
        HardwareKind::Soc => oid::hardware::SOC,
        HardwareKind::Mac => oid::hardware::MAC,
        HardwareKind::Machine => oid::hardware::MACHINE,
        HardwareKind::Random => oid::hardware::RANDOM,
        HardwareKind::Named => oid::hardware::NAMED,
        HardwareKind::TpmEk => oid::hardware::TPM_EK,
        HardwareKind::Idevid => oid::hardware::IDEVID,
    };
    SubjectName::HardwareModule {
        hw_type,
        serial: hardware.value().as_bytes().to_vec(),
    }
}
