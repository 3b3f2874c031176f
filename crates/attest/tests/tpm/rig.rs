//! A soft TPM, and what it brings for a CSR.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use enlist_attest::Attested;
use enlist_attest::tpm::{TpmEndorsement, TpmEvidence, TpmRefusal};
use enlist_core::{Timestamp, tpm_certify_data};
use enlist_pki::{Csr, PublicKey, SignError, SignatureScheme, Signer, csr};

use crate::soft_tpm::{self, SoftTpm};

pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A P-256 key in memory.
pub struct TestKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl TestKey {
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        let public = PublicKey::from_spki_der(spki.as_ref()).unwrap();
        Self { pair, public }
    }
}

impl Signer for TestKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign_with(&self, _: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        Ok(signature.as_ref().to_vec())
    }
}

/// A CSR over `key`.
pub fn csr_over(key: &dyn Signer) -> Csr {
    Csr::from_der(&csr::build(key, "press-7").unwrap()).unwrap()
}

/// What a TPM brings for a CSR, all as it should be.
pub struct Rig {
    pub tpm: SoftTpm,
    pub csr: Csr,
    pub evidence: TpmEvidence,
}

/// One for all tests that change nothing but a copy of its evidence.
pub static RIG: LazyLock<Rig> = LazyLock::new(Rig::new);

impl Rig {
    pub fn new() -> Self {
        Self::with(SoftTpm::new(), soft_tpm::KEY)
    }

    pub fn with(tpm: SoftTpm, key_attributes: u32) -> Self {
        let key = TestKey::new();
        let csr = csr_over(&key);
        let challenge = vec![3; 57];
        let key_public = soft_tpm::key_public(key_attributes, key.public_key());
        let qualifying = tpm_certify_data(&challenge, csr.der());
        let (certify_info, certify_signature) = tpm.certify(&key_public, qualifying.as_bytes());
        let evidence = TpmEvidence {
            endorsement: TpmEndorsement {
                ek_public: tpm.ek_public.clone(),
                ek_certificates: tpm.ek_certificates.clone(),
                ak_public: tpm.ak_public.clone(),
            },
            challenge,
            activated: vec![4; 32],
            key_public,
            certify_info,
            certify_signature,
        };
        Self { tpm, csr, evidence }
    }

    pub fn verify(&self) -> Result<Attested, TpmRefusal> {
        verify(&self.evidence, &self.csr)
    }
}

pub fn verify(evidence: &TpmEvidence, csr: &Csr) -> Result<Attested, TpmRefusal> {
    evidence.verify(&evidence.endorsement.read()?, csr, NOW)
}
