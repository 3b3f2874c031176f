//! Evidence: a provisioning secret.

use std::net::IpAddr;

use enlist_core::{GroupId, ProvisioningSecret, SecretRecord, SecretRefusal, Timestamp};
use enlist_pki::Csr;

use crate::{Proof, Verified};

/// What a newcomer brings.
#[derive(Debug, Clone, Copy)]
pub struct BySecret<'a> {
    /// The secret as it was handed in.
    pub secret: &'a ProvisioningSecret,
    /// The request for a certificate, its signature checked.
    pub csr: &'a Csr,
    /// Where it is asked from.
    pub source: IpAddr,
}

/// Why a provisioning secret does not let its bearer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretEvidenceRefusal {
    /// Unknown, another group's, or wrong: which of them, a stranger is not told.
    #[error("the provisioning secret is not one of this group's")]
    Wrong,
    /// Right, but out of its bounds.
    #[error(transparent)]
    Bounds(#[from] SecretRefusal),
}

impl BySecret<'_> {
    /// Holds the secret against `record`, found by its short id, for a device that is to join
    /// `group`.
    ///
    /// The bounds on the number of devices and on their rate are checked where the device is recorded,
    /// once more and for good; here they only save the work. Whether it is on the secret's manifest is
    /// for the store to say.
    ///
    /// # Errors
    /// When it is not a secret of this group, or no longer good.
    pub fn verify(
        &self,
        record: Option<&SecretRecord>,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Verified, SecretEvidenceRefusal> {
        let record = self.known(record, group)?;
        record.admits(now)?;
        record.bounds.admit_from(self.source)?;
        Ok(Verified::new(self.csr, Proof::Secret(record.id)))
    }

    /// As [`BySecret::verify`], for a device that enrolled before and asks again: a secret that
    /// is used up, expired or withdrawn by now still gets it the recorded answer.
    ///
    /// # Errors
    /// When it is not a secret of this group.
    pub fn verify_again(
        &self,
        record: Option<&SecretRecord>,
        group: GroupId,
    ) -> Result<(), SecretEvidenceRefusal> {
        self.known(record, group).map(|_| ())
    }

    /// As [`BySecret::verify`], for a device that enrolled before and needs another certificate:
    /// a secret that is used up still gets it one, because nobody is counted again.
    ///
    /// # Errors
    /// When it is not a secret of this group, has expired or been withdrawn, or does not
    /// take devices from there.
    pub fn verify_return(
        &self,
        record: Option<&SecretRecord>,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Verified, SecretEvidenceRefusal> {
        let record = self.known(record, group)?;
        record.is_live(now)?;
        record.bounds.admit_from(self.source)?;
        Ok(Verified::new(self.csr, Proof::Secret(record.id)))
    }

    fn known<'r>(
        &self,
        record: Option<&'r SecretRecord>,
        group: GroupId,
    ) -> Result<&'r SecretRecord, SecretEvidenceRefusal> {
        record
            .filter(|record| record.digest == self.secret.digest() && record.group == group)
            .ok_or(SecretEvidenceRefusal::Wrong)
    }
}
