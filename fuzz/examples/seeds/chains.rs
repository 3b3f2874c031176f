//! A small hierarchy, and what passes for one.

use std::path::Path;

use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyPurpose,
    KeyUse, Signer, cms, sign_certificate,
};

use crate::Corpus;
use crate::encode::{SEQUENCE, replaced, signed, tlv};

const NOW: i64 = 1_800_000_000;
const YEAR: i64 = 365 * 24 * 3600;

/// Root, issuing CA and a device.
pub struct Hierarchy {
    pub root: Certificate,
    pub issuing: Certificate,
    pub issuing_key: FileKey,
    pub device: Certificate,
}

/// A CA, or who wants to be taken for one.
struct Ca<'a> {
    name: &'a DistinguishedName,
    key: &'a FileKey,
}

pub fn seeds(corpus: &Corpus) -> Hierarchy {
    let keys = [(); 3].map(|()| FileKey::generate(KeyKind::P256).unwrap());
    let [root_key, issuing_key, device_key] = keys;
    let names = ["Root", "Issuing", "press-7"].map(name);
    let [root_name, issuing_name, device_name] = &names;
    let by_root = Ca {
        name: root_name,
        key: &root_key,
    };
    let by_issuing = Ca {
        name: issuing_name,
        key: &issuing_key,
    };
    let device_parts = [
        Extension::key_usage(&[KeyUse::DigitalSignature]).unwrap(),
        Extension::key_purposes(&[KeyPurpose::ClientAuth]).unwrap(),
    ];
    let root = by_root.issue(1, root_name, &root_key, YEAR, &ca_parts(None));
    let issuing = by_root.issue(2, issuing_name, &issuing_key, YEAR, &ca_parts(Some(0)));
    let device = by_issuing.issue(3, device_name, &device_key, YEAR, &device_parts);
    let expired = by_issuing.issue(4, device_name, &device_key, -1, &device_parts);
    // Devices are no CAs, whatever they sign.
    let by_device = Ca {
        name: device_name,
        key: &device_key,
    };
    let below = by_device.issue(5, &name("below"), &issuing_key, YEAR, &device_parts);
    let by_stranger = Ca {
        name: issuing_name,
        key: &device_key,
    };
    let strange = by_stranger.issue(6, device_name, &device_key, YEAR, &device_parts);

    let chain = |certificates: &[&Certificate]| {
        let der: Vec<_> = certificates.iter().map(|one| one.der()).collect();
        der.concat()
    };
    let good = chain(&[&device, &issuing]);
    corpus.taken("device", &good);
    corpus.taken("device-and-more", &chain(&[&device, &root, &issuing]));
    let pem = device.to_pem() + &issuing.to_pem();
    corpus.taken("device-in-pem", pem.as_bytes());
    corpus.refused("without-its-ca", device.der());
    corpus.refused("expired", &chain(&[&expired, &issuing]));
    corpus.refused("below-a-device", &chain(&[&below, &device, &issuing]));
    corpus.refused("of-a-stranger", &chain(&[&strange, &issuing]));
    corpus.refused("cut-off", &good[..good.len() - 1]);
    corpus.refused("of-another-name", &replaced(&good, b"press-7", b"press-8"));
    corpus.refused("in-broken-pem", &pem.as_bytes()[..200]);
    // INTEGER -3.
    let negative = replaced(device.der(), &[2, 1, 3], &[2, 1, 0xfd]);
    corpus.refused("negative-serial", &resigned(&negative, &issuing_key));
    corpus.refused("repeated-extension", &repeated(&device, &issuing_key));

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let issued = [&device, &issuing, &expired, &below].map(Certificate::to_pem);
    std::fs::write(fixtures.join("issued.pem"), issued.concat()).unwrap();
    std::fs::write(fixtures.join("root.pem"), root.to_pem()).unwrap();
    Hierarchy {
        root,
        issuing,
        issuing_key,
        device,
    }
}

/// The same certificates in the wrappers of CMS.
pub fn wrapped(corpus: &Corpus, hierarchy: &Hierarchy) {
    let all = [&hierarchy.device, &hierarchy.issuing, &hierarchy.root];
    let message = cms::certs_only(&all).unwrap();
    corpus.taken("certs-only", &message);
    corpus.taken("one-certificate", hierarchy.root.der());
    let pem = all.map(Certificate::to_pem).concat();
    corpus.taken("pem", pem.as_bytes());
    corpus.refused("no-certificates", &cms::certs_only(&[]).unwrap());
    corpus.refused("cut-off", &message[..message.len() - 1]);
    corpus.refused("with-more-after-it", &[&message[..], &[0]].concat());
    corpus.refused("indefinite-length", &{
        // BER, not DER: the length is said at the end.
        let mut ber = vec![SEQUENCE, 0x80];
        ber.extend(&message[4..]);
        ber.extend([0, 0]);
        ber
    });
    corpus.refused("nothing", b"");
}

impl Ca<'_> {
    fn issue(
        &self,
        serial: u8,
        subject: &DistinguishedName,
        key: &FileKey,
        lifetime: i64,
        extensions: &[Extension],
    ) -> Certificate {
        let key_ids = [
            Extension::authority_key_id(&self.key.public_key().key_id()).unwrap(),
            Extension::subject_key_id(&key.public_key().key_id()).unwrap(),
        ];
        let extensions: Vec<_> = key_ids.iter().chain(extensions).collect();
        let spec = CertificateSpec {
            serial: &[serial],
            issuer: self.name,
            subject,
            public_key: key.public_key(),
            not_before: NOW - YEAR,
            not_after: NOW + lifetime,
            extensions: &extensions,
        };
        sign_certificate(&spec, self.key).unwrap()
    }
}

fn ca_parts(path_len: Option<u8>) -> [Extension; 2] {
    [
        Extension::certificate_authority(path_len).unwrap(),
        Extension::key_usage(&[KeyUse::CertificateSigning, KeyUse::CrlSigning]).unwrap(),
    ]
}

fn name(common_name: &str) -> DistinguishedName {
    DistinguishedName::new(&[(Attribute::CommonName, common_name)]).unwrap()
}

/// The body of a certificate under a new signature.
fn resigned(certificate: &[u8], key: &FileKey) -> Vec<u8> {
    signed(body(certificate), key)
}

/// A certificate whose last extension stands there twice.
fn repeated(certificate: &Certificate, key: &FileKey) -> Vec<u8> {
    let purposes = Extension::key_purposes(&[KeyPurpose::ClientAuth]).unwrap();
    let body = body(certificate.der());
    let fields = &body[4..];
    // The last field: [3] of less than 128 bytes, and the list in it.
    let is_last =
        |at: &usize| fields[*at] == 0xa3 && *at + 2 + usize::from(fields[at + 1]) == fields.len();
    let at = (0..fields.len() - 1).find(is_last).unwrap();
    let list = &fields[at + 4..];
    let extensions = tlv(SEQUENCE, &[list, purposes.der()]);
    let body = tlv(SEQUENCE, &[&fields[..at], &tlv(0xa3, &[&extensions])]);
    signed(&body, key)
}

/// What is signed of a certificate: lengths of two bytes on both.
fn body(certificate: &[u8]) -> &[u8] {
    let inner = &certificate[4..];
    let length = usize::from(u16::from_be_bytes([inner[2], inner[3]]));
    &inner[..length + 4]
}
