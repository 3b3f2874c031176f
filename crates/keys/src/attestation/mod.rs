//! How a device proves with its TPM 2.0 which device it is, and that its key never leaves that TPM.
//!
//! Two keys of the TPM's take part, and neither leaves it. The *endorsement key* is the one that the
//! TPM's manufacturer has certified; it can only decrypt. The *attestation key* can only sign what the
//! TPM itself says. A secret that a server seals for both together ([`Attestor::activate`]) proves that
//! they are in one TPM; what the attestation key then says about the device's key
//! ([`Attestor::certify`]) proves that it is there too (TPM 2.0 Library, Part 1, section 24).

#[cfg(feature = "tpm")]
mod tpm;

use enlist_pki::PublicKey;

use crate::store::{KeyReference, KeyStoreError, TpmSpec};

/// Something that can prove itself: a TPM 2.0.
///
/// Nothing is kept between two calls, and nothing stays loaded: both keys are made again from the TPM's
/// own seeds, the same each time, after a restart too.
pub trait Attestor: Send {
    /// What it is.
    ///
    /// # Errors
    /// Whatever keeps the TPM from working; a password of its endorsement hierarchy, for one.
    fn endorsement(&self) -> Result<Endorsement, KeyStoreError>;

    /// Has the attestation key state that `key` is in this TPM. `data` (32 bytes) goes into the
    /// statement.
    ///
    /// # Errors
    /// The key is not there, or another is in its place; and whatever keeps the TPM from working.
    fn certify(&self, key: &KeyReference, data: &[u8; 32]) -> Result<Certified, KeyStoreError>;

    /// Opens what was sealed for the endorsement key and the attestation key together: a
    /// `TPM2B_ID_OBJECT` and a `TPM2B_ENCRYPTED_SECRET`, each with its size.
    ///
    /// # Errors
    /// It was made for another TPM, or is damaged; and whatever keeps the TPM from working.
    fn activate(
        &self,
        credential_blob: &[u8],
        encrypted_secret: &[u8],
    ) -> Result<[u8; 32], KeyStoreError>;
}

/// What a TPM says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// The endorsement key, `TPMT_PUBLIC`.
    pub ek_public: Vec<u8>,
    /// The same key, as everybody else has keys.
    pub ek_key: PublicKey,
    /// Its certificate and those of CAs above it, DER, lowest first; empty where the manufacturer left
    /// none in the TPM.
    pub ek_certificates: Vec<Vec<u8>>,
    /// The attestation key, `TPMT_PUBLIC`.
    pub ak_public: Vec<u8>,
}

/// What a TPM has stated about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The key, `TPMT_PUBLIC`.
    pub key_public: Vec<u8>,
    /// The statement, `TPMS_ATTEST`.
    pub certify_info: Vec<u8>,
    /// The attestation key's signature over it, `TPMT_SIGNATURE`.
    pub signature: Vec<u8>,
}

/// The TPM in which the key store `spec` keeps its keys. It is not asked anything yet.
///
/// # Errors
/// [`KeyStoreError::NotBuilt`] where this program was built without TPMs.
pub fn open_attestor(spec: &TpmSpec) -> Result<Box<dyn Attestor>, KeyStoreError> {
    #[cfg(feature = "tpm")]
    return Ok(Box::new(tpm::TpmAttestor::new(spec.address.clone())));
    #[cfg(not(feature = "tpm"))]
    {
        let _ = spec;
        Err(KeyStoreError::NotBuilt(crate::store::StoreKind::Tpm))
    }
}
