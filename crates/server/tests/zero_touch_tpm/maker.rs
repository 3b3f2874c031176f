//! A manufacturer of TPMs, and devices with one.

use std::cell::RefCell;

use enlist_core::{Clock, tpm_certify_data};
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, DistinguishedName, Extension, KeyKind, KeyPurpose,
    KeyUse, PublicKey, Signer, sign_certificate,
};
use enlist_testkit::{FakeDevice, Rig, SoftTpm, soft_tpm};
use enlist_wire::{
    Attestation, AttestationKind, Binary, ChallengeReply, ChallengeRequest, Client, ClientError,
    EnrollReply, EnrollRequest, ImportManufacturer, NewGroup, TpmAttestation, TpmEndorsement,
    WithoutProof, ZeroTouch,
};

/// Makes TPMs, each with a certificate that never ends.
pub struct Maker {
    key: FileKey,
    pub root: Certificate,
    made: RefCell<u8>,
}

impl Maker {
    pub fn new(name: &str) -> Self {
        let key = FileKey::generate(KeyKind::P384).unwrap();
        let name = DistinguishedName::new(&[(Attribute::CommonName, name)]).unwrap();
        let extensions = [
            Extension::certificate_authority(None).unwrap(),
            Extension::key_usage(&[KeyUse::CertificateSigning]).unwrap(),
            Extension::subject_key_id(&key.public_key().key_id()).unwrap(),
        ];
        let root = certificate(&name, &name, key.public_key(), &extensions, &key, 1);
        Self {
            key,
            root,
            made: RefCell::new(1),
        }
    }

    /// A TPM of its make.
    pub fn tpm(&self) -> SoftTpm {
        let mut tpm = SoftTpm::new();
        *self.made.borrow_mut() += 1;
        let subject = DistinguishedName::new(&[]).unwrap();
        let extensions = [
            Extension::key_purposes(&[KeyPurpose::TpmEndorsement]).unwrap(),
            Extension::authority_key_id(&self.key.public_key().key_id()).unwrap(),
        ];
        let issued = certificate(
            &self.root.subject(),
            &subject,
            &tpm.ek_key(),
            &extensions,
            &self.key,
            *self.made.borrow(),
        );
        tpm.ek_certificates = vec![issued.der().to_vec()];
        tpm
    }

    /// Has a tenant believe it.
    pub fn import(&self, rig: &Rig, tenant: &str) {
        let import = ImportManufacturer {
            name: "acme".to_owned(),
            certificates: self.root.to_pem(),
        };
        rig.admin().import_manufacturer(tenant, &import).unwrap();
    }
}

fn certificate(
    issuer: &DistinguishedName,
    subject: &DistinguishedName,
    key: &PublicKey,
    extensions: &[Extension],
    signer: &FileKey,
    serial: u8,
) -> Certificate {
    sign_certificate(
        &CertificateSpec {
            serial: &[serial],
            issuer,
            subject,
            public_key: key,
            not_before: 0,
            not_after: 253_402_300_799,
            extensions: &extensions.iter().collect::<Vec<_>>(),
        },
        signer,
    )
    .unwrap()
}

/// A group that takes TPMs.
pub fn group(rig: &Rig, name: &str) -> NewGroup {
    let group = NewGroup {
        enrollment: enlist_wire::Enrollment::Open,
        zero_touch: Some(ZeroTouch {
            accept: vec![AttestationKind::Tpm],
            manifest: None,
            without_proof: WithoutProof::Refuse,
        }),
        ..NewGroup::named(name)
    };
    rig.group_with(&group);
    group
}

/// A device with a TPM, and no secret.
pub struct TpmDevice {
    pub tpm: SoftTpm,
    pub device: FakeDevice,
}

impl TpmDevice {
    pub fn new(rig: &Rig, tpm: SoftTpm, group: &str, name: &str) -> Self {
        let device = rig.device(group, name, "");
        Self { tpm, device }
    }

    /// Another key and token, as after its disk was wiped.
    pub fn begin_anew(&mut self, rig: &Rig) {
        let name = self.device.name.clone().unwrap();
        self.device = rig.device(&self.device.group.clone(), &name, "");
    }

    fn endorsement(&self) -> TpmEndorsement {
        TpmEndorsement {
            ek_public: Binary(self.tpm.ek_public.clone()),
            ek_certificates: self
                .tpm
                .ek_certificates
                .iter()
                .cloned()
                .map(Binary)
                .collect(),
            ak_public: Binary(self.tpm.ak_public.clone()),
        }
    }

    pub fn ask(&self, client: &Client) -> Result<ChallengeReply, ClientError> {
        client.challenge(&ChallengeRequest {
            tenant: self.device.tenant.clone(),
            group: self.device.group.clone(),
            tpm: self.endorsement(),
        })
    }

    /// What it sends to enroll, the challenge answered.
    pub fn answer(&self, challenge: &ChallengeReply) -> EnrollRequest {
        let mut request = self.device.request();
        request.secret = None;
        let key = soft_tpm::key_public(soft_tpm::KEY, self.device.key.public_key());
        let qualifying = tpm_certify_data(&challenge.challenge.0, &request.csr.0);
        let (info, signature) = self.tpm.certify(&key, qualifying.as_bytes());
        let activated = self
            .tpm
            .activate(&challenge.credential_blob.0, &challenge.encrypted_secret.0);
        let TpmEndorsement {
            ek_public,
            ek_certificates,
            ak_public,
        } = self.endorsement();
        request.attestation = Some(Attestation {
            tpm: Some(TpmAttestation {
                ek_public,
                ek_certificates,
                ak_public,
                challenge: challenge.challenge.clone(),
                activated: Binary(activated.unwrap_or_default()),
                key_public: Binary(key),
                certify_info: Binary(info),
                certify_signature: Binary(signature),
            }),
            idevid: None,
        });
        request
    }

    /// Asks, answers, and enrolls.
    pub fn enroll(&mut self, client: &Client) -> Result<EnrollReply, ClientError> {
        let challenge = self.ask(client)?;
        client.enroll(&self.answer(&challenge)).inspect(|reply| {
            if let EnrollReply::Enrolled(enrolled) = reply {
                self.device.enrolled = Some((**enrolled).clone());
            }
        })
    }
}

/// What of an attestation may be spoilt.
pub fn tpm_of(request: &mut EnrollRequest) -> &mut TpmAttestation {
    request.attestation.as_mut().unwrap().tpm.as_mut().unwrap()
}

pub fn now(rig: &Rig) -> enlist_core::Timestamp {
    rig.clock.now()
}
