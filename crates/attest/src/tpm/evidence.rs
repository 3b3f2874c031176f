//! What a device with a TPM brings, and what of it holds.

use enlist_core::{Digest, HardwareIdentity, HardwareKind, Rng, Timestamp, tpm_certify_data};
use enlist_pki::manufacturer::{self, Manufacturer, NotVouched, Vouching};
use enlist_pki::{Certificate, Csr};

use super::certify::Certified;
use super::credential::{self, Credential};
use super::public::Public;
use super::refusal::TpmRefusal;
use super::{keys, signature};
use crate::{Attested, Once};

/// The most certificates that come with an endorsement key, its own included.
pub(super) const MOST_CERTIFICATES: usize = manufacturer::MAX_PATH;
/// The largest of them, in bytes; those in the field have one or two thousand.
pub(super) const LARGEST_CERTIFICATE: usize = 8192;

/// Whose TPM it is, as the device sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TpmEndorsement {
    /// The endorsement key, `TPMT_PUBLIC`.
    pub ek_public: Vec<u8>,
    /// Its certificate and the CAs above it, DER; empty where the TPM has none.
    pub ek_certificates: Vec<Vec<u8>>,
    /// The attestation key, `TPMT_PUBLIC`.
    pub ak_public: Vec<u8>,
}

/// What proves that the key of a CSR is in the TPM, as the device sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TpmEvidence {
    /// Whose TPM.
    pub endorsement: TpmEndorsement,
    /// The challenge, as the server made it.
    pub challenge: Vec<u8>,
    /// The secret that the TPM gave out.
    pub activated: Vec<u8>,
    /// The key, `TPMT_PUBLIC`.
    pub key_public: Vec<u8>,
    /// What the TPM says of it, `TPMS_ATTEST`.
    pub certify_info: Vec<u8>,
    /// The attestation key's signature over that, `TPMT_SIGNATURE`.
    pub certify_signature: Vec<u8>,
}

/// An endorsement key and an attestation key that are what such keys have to be. That both are in one
/// TPM, only an answered challenge proves.
#[derive(Debug)]
pub struct Endorsed {
    ek: Public,
    ak: Public,
    identity: HardwareIdentity,
    certificates: Vec<Certificate>,
}

impl TpmEndorsement {
    /// Reads it.
    ///
    /// # Errors
    /// A key does not read or is not what it has to be, or the certificate is another key's.
    pub fn read(&self) -> Result<Endorsed, TpmRefusal> {
        let ek = keys::endorsement(&self.ek_public)?;
        let ak = keys::attestation(&self.ak_public)?;
        let too_large = |der: &Vec<u8>| der.len() > LARGEST_CERTIFICATE;
        if self.ek_certificates.len() > MOST_CERTIFICATES
            || self.ek_certificates.iter().any(too_large)
        {
            return Err(TpmRefusal::TooMuch);
        }
        let certificates = self
            .ek_certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(TpmRefusal::Certificate)?;
        if let Some(own) = certificates.first()
            && !manufacturer::certifies(own, &ek.key)
        {
            return Err(TpmRefusal::OtherEndorsementKey);
        }
        let digest = enlist_core::lower_hex(&ek.key.digest());
        let identity = HardwareIdentity::new(HardwareKind::TpmEk, &digest)
            .map_err(|_| TpmRefusal::Template("key"))?;
        Ok(Endorsed {
            ek,
            ak,
            identity,
            certificates,
        })
    }
}

impl Endorsed {
    /// Which TPM it is: `tpm-ek:` and SHA-256 of the endorsement key's `SubjectPublicKeyInfo`.
    pub fn identity(&self) -> &HardwareIdentity {
        &self.identity
    }

    /// SHA-256 of the endorsement key's public area as it came.
    pub fn ek_digest(&self) -> Digest {
        Digest::of(self.ek.bytes())
    }

    /// What the TPM calls the attestation key.
    pub fn ak_name(&self) -> Vec<u8> {
        self.ak.name()
    }

    /// Encrypts `secret` for the TPM: it gives it out only where the attestation key is loaded.
    ///
    /// # Errors
    /// The library can't encrypt for this key.
    pub fn credential(&self, secret: &[u8; 32], rng: &dyn Rng) -> Result<Credential, TpmRefusal> {
        credential::make(&self.ek, &self.ak_name(), secret, rng)
    }

    /// Which of `manufacturers`, by its place among them, has certified the endorsement key.
    ///
    /// # Errors
    /// None has, or the TPM has no certificate. Says what the first failed at that knows its issuer.
    pub fn voucher<'a>(
        &self,
        manufacturers: impl IntoIterator<Item = &'a Manufacturer>,
        now: Timestamp,
    ) -> Result<usize, NotVouched> {
        let (own, above) = self
            .certificates
            .split_first()
            .ok_or(NotVouched::NoCertificate)?;
        let vouching = Vouching::Endorsement;
        manufacturer::voucher(manufacturers, own, above, vouching, now.as_secs())
    }
}

impl TpmEvidence {
    /// Verifies that the CSR's key was made in the TPM of `endorsed`, can't leave it, and was certified
    /// for this challenge and this CSR. That the challenge was answered rightly, whoever made it has
    /// checked; `expires_at` is when it could not be any more.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn verify(
        &self,
        endorsed: &Endorsed,
        csr: &Csr,
        expires_at: Timestamp,
    ) -> Result<Attested, TpmRefusal> {
        let key = keys::device(&self.key_public)?;
        let certified = Certified::read(&self.certify_info)?;
        if certified.extra != tpm_certify_data(&self.challenge, csr.der()).as_bytes() {
            return Err(TpmRefusal::OtherChallenge);
        }
        if certified.name != key.name() {
            return Err(TpmRefusal::OtherKey);
        }
        if key.key != *csr.public_key() {
            return Err(TpmRefusal::OtherCsr);
        }
        signature::verify(&endorsed.ak, &self.certify_info, &self.certify_signature)?;
        let once = Once {
            digest: Digest::of(&self.challenge),
            expires_at,
        };
        Ok(Attested::new(endorsed.identity.clone(), Some(once), csr))
    }
}
