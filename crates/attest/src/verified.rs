//! What issuing takes, and nothing less.

use enlist_core::{ApiTokenId, SecretId, Serial};
use enlist_pki::{Csr, PublicKey, Requested};

/// A key whose holder may have a certificate.
#[derive(Debug, Clone)]
pub struct Verified {
    key: PublicKey,
    requested: Requested,
    proof: Proof,
}

/// What the holder was verified by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A provisioning secret.
    Secret(SecretId),
    /// Its own hardware.
    Hardware,
    /// A person's yes.
    Approval(ApiTokenId),
    /// An operator or factory that will load the key into the device.
    PreEnrollment(ApiTokenId),
    /// The certificate with this serial number, over mutual TLS.
    Certificate(Serial),
    /// The device token, and the key of the certificate with this serial number.
    Token(Serial),
}

impl Verified {
    pub(crate) fn new(csr: &Csr, proof: Proof) -> Self {
        Self {
            key: csr.public_key().clone(),
            requested: csr.requested().clone(),
            proof,
        }
    }

    pub(crate) fn of_key(key: PublicKey, proof: Proof) -> Self {
        Self {
            key,
            requested: Requested::default(),
            proof,
        }
    }

    /// The same for a key that the server has made, and hands to whom this was verified. What the
    /// CSR asked for stays asked for.
    #[must_use]
    pub fn with_server_key(mut self, key: PublicKey) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn asking_for(mut self, requested: Requested) -> Self {
        self.requested = requested;
        self
    }

    /// The key to certify; its holder has proved to hold it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What the CSR asked for beyond its key.
    pub fn requested(&self) -> &Requested {
        &self.requested
    }

    /// What it was verified by.
    pub fn proof(&self) -> Proof {
        self.proof
    }
}
