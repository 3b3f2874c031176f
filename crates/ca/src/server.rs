//! Certificates of the installation's servers.

use std::time::Duration;

use enlist_core::{Serial, Timestamp};
use enlist_pki::{
    Attribute, Certificate, DistinguishedName, Extension, KeyKind, KeyPurpose, KeyUse, PublicKey,
    SubjectName,
};

use crate::validity::{DAY, Validity};
use crate::{Authority, IssueRefusal};

/// What a server's key is to be.
pub const SERVER_KEY: KeyKind = KeyKind::P256;

const LIFETIME: Duration = DAY.saturating_mul(90);

/// Makes a server certificate for `names` ([`SubjectName::host`] makes them), valid for 90
/// days.
///
/// # Errors
/// `service` is not the service CA, there is no name, the CA has expired, or its key could not sign.
pub fn make_server_certificate(
    service: &Authority,
    key: &PublicKey,
    names: &[SubjectName],
    serial: Serial,
    now: Timestamp,
) -> Result<Certificate, IssueRefusal> {
    if !service.is_service_ca() {
        return Err(IssueRefusal::WrongCa);
    }
    if names.is_empty() {
        return Err(IssueRefusal::NoNames);
    }
    let validity = Validity::under(Some(service.certificate()), LIFETIME, now)?;
    let subject = DistinguishedName::new(&[(Attribute::CommonName, "Enlist Server")])?;
    let extensions = [
        &Extension::key_usage(&[KeyUse::DigitalSignature])?,
        &Extension::key_purposes(&[KeyPurpose::ServerAuth])?,
        &Extension::subject_names(names)?,
    ];
    service.issue(serial, &subject, key, validity, &extensions)
}
