//! The CAs of the tests' server.

use enlist_core::Clock;
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyUse, Signer,
    sign_certificate,
};

use crate::common::{FakeClock, HOUR};

pub struct Ca {
    pub key: FileKey,
    pub certificate: Certificate,
}

pub fn ca(name: &str, parent: Option<&Ca>, clock: &FakeClock) -> Ca {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let subject = DistinguishedName::new(&[(Attribute::CommonName, name)]).unwrap();
    let issuer = parent.map_or(subject.clone(), |parent| parent.certificate.subject());
    let signer: &dyn Signer = parent.map_or(&key, |parent| &parent.key);
    let certificate = certify(&key, &subject, &issuer, signer, clock);
    Ca { key, certificate }
}

/// Name and key of `root`, signed by `by`.
pub fn cross(root: &Ca, by: &Ca, clock: &FakeClock) -> Certificate {
    let (subject, issuer) = (root.certificate.subject(), by.certificate.subject());
    certify(&root.key, &subject, &issuer, &by.key, clock)
}

fn certify(
    key: &FileKey,
    subject: &DistinguishedName,
    issuer: &DistinguishedName,
    signer: &dyn Signer,
    clock: &FakeClock,
) -> Certificate {
    let now = clock.now().as_secs();
    let spec = CertificateSpec {
        serial: &[1],
        issuer,
        subject,
        public_key: key.public_key(),
        not_before: now - 100 * 24 * HOUR,
        not_after: now + 10 * 365 * 24 * HOUR,
        extensions: &[
            &Extension::certificate_authority(None).unwrap(),
            &Extension::key_usage(&[KeyUse::CertificateSigning]).unwrap(),
        ],
    };
    sign_certificate(&spec, signer).unwrap()
}
