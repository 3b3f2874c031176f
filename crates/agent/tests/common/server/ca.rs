//! The CAs of the tests' server.

use enlist_core::Clock;
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyUse, Signer,
    sign_certificate,
};

use crate::common::{FakeClock, HOUR};

pub(super) struct Ca {
    pub(super) key: FileKey,
    pub(super) certificate: Certificate,
}

pub(super) fn ca(name: &str, parent: Option<&Ca>, clock: &FakeClock) -> Ca {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let subject = DistinguishedName::new(&[(Attribute::CommonName, name)]).unwrap();
    let issuer = parent.map_or(subject.clone(), |parent| parent.certificate.subject());
    let now = clock.now().as_secs();
    let spec = CertificateSpec {
        serial: &[1],
        issuer: &issuer,
        subject: &subject,
        public_key: key.public_key(),
        not_before: now - 100 * 24 * HOUR,
        not_after: now + 10 * 365 * 24 * HOUR,
        extensions: &[
            &Extension::certificate_authority(None).unwrap(),
            &Extension::key_usage(&[KeyUse::CertificateSigning]).unwrap(),
        ],
    };
    let signer: &dyn Signer = parent.map_or(&key, |parent| &parent.key);
    let certificate = sign_certificate(&spec, signer).unwrap();
    Ca { key, certificate }
}
