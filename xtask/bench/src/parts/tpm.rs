//! What verifying a TPM's attestation costs, beside the signatures in it.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, anyhow};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use enlist_attest::tpm::{TpmEndorsement, TpmEvidence};
use enlist_core::{Timestamp, tpm_certify_data};
use enlist_keys::FileKey;
use enlist_pki::manufacturer::Manufacturer;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, Csr, DistinguishedName, Extension, KeyKind,
    KeyPurpose, KeyUse, PublicKey, Signer as _, csr, sign_certificate,
};

use super::{Scale, median, micros};
use crate::process::thread_cpu;
use crate::soft_tpm::{self, SoftTpm};
use crate::table::{Aim, Table};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A signature: how and by whom it was made, over what.
struct Signed {
    algorithm: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    println!("TPM");
    for kind in [KeyKind::P256, KeyKind::Rsa(2048)] {
        one(scale, kind, table)?;
    }
    table.note(
        "TPM: what a device sends is read and verified, from the certificates of its endorsement key (its own and a CA between, to an imported root) to what the TPM says of the CSR's key. The keys of the TPM and of the device are on P-256. The floor: the three signatures in it, bare. The MAC of the server's challenge is in neither.",
    );
    Ok(())
}

/// Where the manufacturer's CAs have keys of this kind.
fn one(scale: &Scale, kind: KeyKind, table: &mut Table) -> Result<()> {
    let case = Case::new(kind)?;
    let times = u32::try_from(scale.enrollments / 2)?;
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    // The first round warms up, and does not count.
    for round in 0..=scale.rounds {
        let one = each(times, || case.verify())?;
        let two = each(times, || case.signatures())?;
        if round > 0 {
            whole.push(micros(one));
            bare.push(micros(two));
        }
    }
    table.row(
        &format!("a TPM's attestation verified, its manufacturer's keys {kind}, CPU"),
        "µs",
        median(whole),
        Some(median(bare)),
        Aim::Ratio(2.0),
    );
    Ok(())
}

fn each(times: u32, work: impl Fn() -> Result<()>) -> Result<Duration> {
    let start = thread_cpu();
    for _ in 0..times {
        work()?;
    }
    Ok((thread_cpu() - start) / times)
}

struct Case {
    evidence: TpmEvidence,
    csr: Csr,
    manufacturer: Manufacturer,
    /// The signatures in all of that.
    signed: Vec<Signed>,
}

impl Case {
    fn new(authorities: KeyKind) -> Result<Self> {
        let mut tpm = SoftTpm::new();
        let root_key = FileKey::generate(authorities)?;
        let between_key = FileKey::generate(authorities)?;
        let (root_name, between_name) = (name("TPM Root")?, name("TPM CA")?);
        let authority = || {
            Ok::<_, anyhow::Error>([
                Extension::certificate_authority(None)?,
                Extension::key_usage(&[KeyUse::CertificateSigning])?,
            ])
        };
        let root = (&root_name, &root_key);
        let between = (&between_name, &between_key);
        let root_certificate = issued(root, &root_name, root_key.public_key(), &authority()?)?;
        let above = issued(root, &between_name, between_key.public_key(), &authority()?)?;
        let purpose = [Extension::key_purposes(&[KeyPurpose::TpmEndorsement])?];
        let own = issued(between, &name("unknown")?, &tpm.ek_key(), &purpose)?;
        tpm.ek_certificates = vec![own.der().to_vec(), above.der().to_vec()];

        let key = FileKey::generate(KeyKind::P256)?;
        let csr = Csr::from_der(&csr::build(&key, "press-7")?)?;
        let challenge = vec![3; 57];
        let key_public = soft_tpm::key_public(soft_tpm::KEY, key.public_key());
        let qualifying = tpm_certify_data(&challenge, csr.der());
        let (certify_info, certify_signature) = tpm.certify(&key_public, qualifying.as_bytes());
        let evidence = TpmEvidence {
            endorsement: TpmEndorsement {
                ek_public: tpm.ek_public.clone(),
                ek_certificates: tpm.ek_certificates.clone(),
                ak_public: tpm.ak_public.clone(),
            },
            challenge,
            activated: Vec::new(),
            key_public,
            certify_info,
            certify_signature,
        };
        // Of about the same length, by keys of the same kind: what is signed does not matter.
        let signed = vec![
            Signed::by(&between_key, own.der())?,
            Signed::by(&root_key, above.der())?,
            Signed::by(&key, &evidence.certify_info)?,
        ];
        Ok(Self {
            evidence,
            csr,
            manufacturer: Manufacturer::new(vec![root_certificate]),
            signed,
        })
    }

    fn verify(&self) -> Result<()> {
        let endorsed = black_box(&self.evidence).endorsement.read()?;
        black_box(self.evidence.verify(&endorsed, &self.csr, NOW)?);
        endorsed.voucher([&self.manufacturer], NOW)?;
        Ok(())
    }

    fn signatures(&self) -> Result<()> {
        for signed in &self.signed {
            UnparsedPublicKey::new(signed.algorithm, black_box(&signed.key))
                .verify(&signed.message, &signed.signature)
                .map_err(|_| anyhow!("a signature does not verify"))?;
        }
        Ok(())
    }
}

impl Signed {
    fn by(key: &FileKey, message: &[u8]) -> Result<Self> {
        let public = key.public_key();
        let (algorithm, bytes): (&'static dyn VerificationAlgorithm, _) = match public.point() {
            Some(point) => (&ECDSA_P256_SHA256_ASN1, point),
            None => (&RSA_PKCS1_2048_8192_SHA256, public.spki_der()),
        };
        Ok(Self {
            algorithm,
            key: bytes.to_vec(),
            message: message.to_vec(),
            signature: key.sign(message)?,
        })
    }
}

fn name(text: &str) -> Result<DistinguishedName> {
    Ok(DistinguishedName::new(&[(Attribute::CommonName, text)])?)
}

fn issued(
    (issuer, signer): (&DistinguishedName, &FileKey),
    subject: &DistinguishedName,
    key: &PublicKey,
    extensions: &[Extension],
) -> Result<Certificate> {
    Ok(sign_certificate(
        &CertificateSpec {
            serial: &[1],
            issuer,
            subject,
            public_key: key,
            not_before: 0,
            not_after: 253_402_300_799,
            extensions: &extensions.iter().collect::<Vec<_>>(),
        },
        signer,
    )?)
}
