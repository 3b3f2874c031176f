use enlist_core::Timestamp;
use enlist_pki::path;
use enlist_pki::{Certificate, CertificateError, ChainError, PublicKey};
use enlist_signed::{Envelope, MalformedEnvelope, Refused, Trust};
use enlist_wire::RootOffer;

use super::Trusted;

/// The most roots that are taken beside those of the configuration file.
const MOST: usize = 8;

/// Whose yes a new root needs, where the group signs for itself.
#[derive(Clone, Copy, Debug)]
pub struct Approval<'a> {
    /// The group's keys.
    pub keys: &'a [PublicKey],
    /// The device's tenant.
    pub tenant: &'a str,
    /// The device's group.
    pub group: &'a str,
}

/// Why a root is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RootRefused {
    /// One of its certificates can't be read.
    #[error("its {0} can't be read")]
    Unreadable(&'static str, #[source] CertificateError),
    /// No root that is believed vouches for it.
    #[error("no root that is trusted here vouches for it")]
    NotVouchedFor(#[source] ChainError),
    /// The group signs for itself, and has not said yes.
    #[error("the group's own signature is missing")]
    NotApproved,
    /// What came as the group's yes can't be read.
    #[error("the group's approval can't be read")]
    Malformed(#[source] MalformedEnvelope),
    /// What came as the group's yes is none.
    #[error("the group's approval does not count")]
    Approval(#[source] Refused),
    /// What came as the group's yes is for another tenant, group or root.
    #[error("the group's approval is for something else")]
    AnotherApproval,
    /// There are too many already.
    #[error("{MOST} roots were taken already")]
    TooMany,
}

impl Trusted {
    /// Judges an offer. `None` where the root is believed already. `approval` says whose yes it needs
    /// beside the signature of a root that is believed.
    ///
    /// # Errors
    /// Says why the root must not be believed.
    pub fn judge(
        &self,
        offer: &RootOffer,
        approval: Option<Approval<'_>>,
        now: Timestamp,
    ) -> Result<Option<Certificate>, RootRefused> {
        let read = |what, pem: &str| {
            Certificate::from_pem(pem).map_err(|source| RootRefused::Unreadable(what, source))
        };
        let root = read("root", &offer.root)?;
        let cross = read("cross-certificate", &offer.cross)?;
        if self.held().any(|held| *held == root) {
            return Ok(None);
        }
        if self.taken.len() >= MOST {
            return Err(RootRefused::TooMany);
        }
        // Where the clock here lags, the moment counts at which both have become valid.
        let young = root.not_before().max(cross.not_before());
        let at = young.max(now.as_secs());
        path::takes_root(&root, &cross, self.anchors(), at).map_err(RootRefused::NotVouchedFor)?;
        if let Some(approval) = approval {
            approved(offer, &approval, &root.fingerprint_hex())?;
        }
        Ok(Some(root))
    }
}

fn approved(
    offer: &RootOffer,
    approval: &Approval<'_>,
    fingerprint: &str,
) -> Result<(), RootRefused> {
    let envelope = offer.approval.as_ref().ok_or(RootRefused::NotApproved)?;
    let envelope = Envelope::from_value(&envelope.0).map_err(RootRefused::Malformed)?;
    let said: Trust = envelope
        .open(approval.keys)
        .map_err(RootRefused::Approval)?;
    let fits = said.tenant.as_str() == approval.tenant
        && said.group.as_str() == approval.group
        && said.root == fingerprint;
    fits.then_some(()).ok_or(RootRefused::AnotherApproval)
}
