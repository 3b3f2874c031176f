//! The CAs of an installation.

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Name, Serial, Timestamp};
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyUse,
    PublicKey, SERVER_POLICY_OID, Signer, sign_certificate,
};

use crate::validity::{Validity, YEAR};
use crate::{Authority, IssueRefusal};

/// What the root's key is to be.
pub const ROOT_KEY: KeyKind = KeyKind::P384;
/// What the keys of service and issuing CAs are to be.
pub const CA_KEY: KeyKind = KeyKind::P256;

/// 25 years.
const ROOT_LIFETIME: Duration = YEAR.saturating_mul(25);
/// 10 years.
const CA_LIFETIME: Duration = YEAR.saturating_mul(10);

/// Makes the installation's root over `signer`'s key: `CN=Enlist Root CA …`, 25 years. It
/// signs CAs only.
///
/// # Errors
/// The key could not sign.
pub fn make_root(
    signer: Arc<dyn Signer>,
    serial: Serial,
    now: Timestamp,
) -> Result<Authority, IssueRefusal> {
    let public_key = signer.public_key();
    let name = name("Enlist Root CA", public_key, None)?;
    let validity = Validity::under(None, ROOT_LIFETIME, now)?;
    let certificate = sign_certificate(
        &CertificateSpec {
            serial: serial.as_bytes(),
            issuer: &name,
            subject: &name,
            public_key,
            not_before: validity.not_before,
            not_after: validity.not_after,
            extensions: &[
                &Extension::certificate_authority(None)?,
                &ca_key_usage()?,
                &Extension::subject_key_id(&public_key.key_id())?,
            ],
        },
        &*signer,
    )?;
    Authority::new(certificate, signer)
}

/// Makes the installation's service CA, for server certificates: 10 years, no CA below
/// it, marked with [`SERVER_POLICY_OID`].
///
/// # Errors
/// `root` is not one, has expired, or its key could not sign.
pub fn make_service_ca(
    root: &Authority,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
) -> Result<Certificate, IssueRefusal> {
    let policies = Extension::policies(&[SERVER_POLICY_OID])?;
    let name = name("Enlist Service CA", key, None)?;
    make_ca(root, &name, key, serial, now, &[&policies])
}

/// Makes a tenant's issuing CA, for its devices' certificates: 10 years, no CA below it,
/// the tenant's name as its organization.
///
/// # Errors
/// `root` is not one, has expired, or its key could not sign.
pub fn make_issuing_ca(
    root: &Authority,
    tenant: &Name,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
) -> Result<Certificate, IssueRefusal> {
    let name = issuing_ca_name(tenant, key)?;
    make_ca(root, &name, key, serial, now, &[])
}

/// The name of a tenant's issuing CA with this key, for a request to a root elsewhere.
///
/// # Errors
/// None that is known.
pub fn issuing_ca_name(tenant: &Name, key: &PublicKey) -> Result<DistinguishedName, IssueRefusal> {
    name("Enlist Issuing CA", key, Some(tenant))
}

/// Certifies name and key of `new`, another root, with the key of `old`, so that whoever believes the
/// old one has a reason to believe the new one. Valid while both are; it limits nothing that the new
/// root does not limit itself.
///
/// # Errors
/// One of them is no root, they are the same, their lifetimes don't meet, or the key could not sign.
pub fn cross_sign(
    old: &Authority,
    new: &Authority,
    serial: Serial,
    now: Timestamp,
) -> Result<Certificate, IssueRefusal> {
    if !old.is_root() || !new.is_root() || old.certificate() == new.certificate() {
        return Err(IssueRefusal::WrongCa);
    }
    let (old_root, root) = (old.certificate(), new.certificate());
    let validity = Validity {
        not_before: old_root.not_before().max(root.not_before()),
        not_after: old_root.not_after().min(root.not_after()),
    };
    if validity.not_after <= now.as_secs() {
        return Err(IssueRefusal::IssuerExpired);
    }
    let (constraints, key_usage) = (Extension::certificate_authority(None)?, ca_key_usage()?);
    let (name, key) = (root.subject(), root.public_key()?);
    old.issue(serial, &name, &key, validity, &[&constraints, &key_usage])
}

fn make_ca(
    root: &Authority,
    name: &DistinguishedName,
    key: &PublicKey,
    serial: Serial,
    now: Timestamp,
    more: &[&Extension],
) -> Result<Certificate, IssueRefusal> {
    if !root.is_root() {
        return Err(IssueRefusal::WrongCa);
    }
    let validity = Validity::under(Some(root.certificate()), CA_LIFETIME, now)?;
    let (constraints, key_usage) = (Extension::certificate_authority(Some(0))?, ca_key_usage()?);
    let mut extensions = vec![&constraints, &key_usage];
    extensions.extend(more);
    root.issue(serial, name, key, validity, &extensions)
}

/// The kind of CA and the beginning of its key's digest, so that no two of them, of one
/// installation or several, share a name.
pub(crate) fn name(
    kind: &str,
    key: &PublicKey,
    tenant: Option<&Name>,
) -> Result<DistinguishedName, IssueRefusal> {
    let [a, b, c, d, ..] = key.digest();
    let common_name = format!("{kind} {a:02x}{b:02x}{c:02x}{d:02x}");
    let mut attributes = Vec::with_capacity(2);
    attributes.extend(tenant.map(|tenant| (Attribute::Organization, tenant.as_str())));
    attributes.push((Attribute::CommonName, &common_name));
    Ok(DistinguishedName::new(&attributes)?)
}

pub(crate) fn ca_key_usage() -> Result<Extension, IssueRefusal> {
    Ok(Extension::key_usage(&[
        KeyUse::CertificateSigning,
        KeyUse::CrlSigning,
    ])?)
}
