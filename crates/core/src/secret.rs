//! What is kept of a provisioning secret.

use crate::{Digest, GroupId, SecretId, ShortId, TenantId, Timestamp};

/// A provisioning secret as the server knows it: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its id.
    pub id: SecretId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The group whose devices enroll with it.
    pub group: GroupId,
    /// By what it is looked up.
    pub short_id: ShortId,
    /// SHA-256 of the whole text.
    pub digest: Digest,
    /// What its makers call it.
    pub label: String,
    /// Its bounds.
    pub bounds: SecretBounds,
    /// How many devices it has enrolled.
    pub used: u64,
    /// Whether an operator has withdrawn it.
    pub withdrawn: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The bounds of a secret. None at all is allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretBounds {
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// How many devices it may enroll.
    pub max_devices: Option<u64>,
}

/// Why a secret that was right is refused all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefusal {
    /// Past its expiry.
    #[error("the provisioning secret has expired")]
    Expired,
    /// Withdrawn by an operator.
    #[error("the provisioning secret was withdrawn")]
    Withdrawn,
    /// It has enrolled as many devices as it may.
    #[error("the provisioning secret has enrolled all the devices it may")]
    UsedUp,
}

impl SecretRecord {
    /// Whether one more device may enroll with it now.
    ///
    /// # Errors
    /// The bound that says no.
    pub fn admits(&self, now: Timestamp) -> Result<(), SecretRefusal> {
        self.is_live(now)?;
        match self.bounds.max_devices {
            Some(most) if self.used >= most => Err(SecretRefusal::UsedUp),
            _ => Ok(()),
        }
    }

    /// Whether it has neither expired nor been withdrawn.
    ///
    /// # Errors
    /// That it is not.
    pub fn is_live(&self, now: Timestamp) -> Result<(), SecretRefusal> {
        if self.withdrawn {
            return Err(SecretRefusal::Withdrawn);
        }
        match self.bounds.expires_at {
            Some(end) if now >= end => Err(SecretRefusal::Expired),
            _ => Ok(()),
        }
    }
}
