//! What is kept of a provisioning secret.

use std::net::IpAddr;

use crate::{Digest, GroupId, ManifestId, Network, Rate, SecretId, ShortId, TenantId, Timestamp};

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
    /// Until when its rate is used up, in microseconds since the epoch.
    pub rate_until_us: i64,
    /// Whether an operator has withdrawn it.
    pub withdrawn: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The bounds of a secret. None at all is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretBounds {
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// How many devices it may enroll.
    pub max_devices: Option<u64>,
    /// How many devices it may enroll within a time.
    pub rate: Option<Rate>,
    /// Where a device has to ask from; anywhere where there are none.
    pub networks: Vec<Network>,
    /// The manifest that a device has to be on.
    pub manifest: Option<ManifestId>,
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
    /// It has enrolled as many devices as it may for now.
    #[error(
        "the provisioning secret has enrolled as many devices as it may for now: wait {retry_after_s} seconds"
    )]
    TooFast {
        /// After how many seconds it may enroll one more.
        retry_after_s: u64,
    },
    /// From an address outside its networks.
    #[error(
        "the provisioning secret is not good from {0}, which is where this server sees the device: it takes \
         devices of certain networks only"
    )]
    Network(IpAddr),
    /// Not on its manifest.
    #[error(
        "the device is not on the manifest: it has to claim, or to prove, a hardware identity that is"
    )]
    NotListed,
    /// On its manifest, but another device came first.
    #[error(
        "the entry of the manifest has let another device in already: deleting that one makes room"
    )]
    EntryUsed,
}

impl SecretBounds {
    /// Whether using it leaves a mark on the secret: only then is it counted.
    pub fn are_counted(&self) -> bool {
        self.max_devices.is_some() || self.rate.is_some()
    }

    /// Whether a device may ask from this address.
    ///
    /// # Errors
    /// That it may not.
    pub fn admit_from(&self, source: IpAddr) -> Result<(), SecretRefusal> {
        let fits = |network: &Network| network.contains(source);
        if self.networks.is_empty() || self.networks.iter().any(fits) {
            Ok(())
        } else {
            Err(SecretRefusal::Network(source))
        }
    }
}

impl SecretRecord {
    /// Whether one more device may enroll with it now. Where from, and which, is for
    /// [`SecretBounds::admit_from`] and the manifest to say.
    ///
    /// # Errors
    /// The bound that says no.
    pub fn admits(&self, now: Timestamp) -> Result<(), SecretRefusal> {
        self.is_live(now)?;
        if let Some(most) = self.bounds.max_devices
            && self.used >= most
        {
            return Err(SecretRefusal::UsedUp);
        }
        match self.bounds.rate {
            Some(rate) => rate.admits(self.rate_until_us, now).map_err(|wait| {
                let retry_after_s = wait.as_millis().div_ceil(1000);
                SecretRefusal::TooFast {
                    retry_after_s: u64::try_from(retry_after_s).unwrap_or(u64::MAX),
                }
            }),
            None => Ok(()),
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
