//! The roots that a device is offered.

use enlist_core::{CaStanding, Digest, Group, SigningMethod};
use enlist_pki::certificate_pem;
use enlist_store::Tx;

use crate::Error;

/// A root for a device to believe beside those it does.
#[derive(Debug, Clone)]
pub struct RootOffered {
    /// The root, PEM.
    pub root_pem: String,
    /// Its name and key, certified by the root before it, PEM.
    pub cross_pem: String,
    /// The yes of the group's own signers, an envelope as JSON.
    pub approval: Option<serde_json::Value>,
}

/// The roots that a device of `group` should hold and does not: `held` are the SHA-256 of those that it
/// does. A group that signs for itself is offered only what its signers have approved, since its devices
/// would take nothing else.
pub(crate) fn offer(
    tx: &mut Tx<'_>,
    group: &Group,
    held: &[Digest],
) -> Result<Vec<RootOffered>, Error> {
    let mut offered = Vec::new();
    for root in tx.offered_roots()? {
        let Some(cross) = &root.cross else { continue };
        if root.ca.standing == CaStanding::Retired
            || held.contains(&Digest::of(&root.ca.certificate))
        {
            continue;
        }
        let approval = match group.signing.method {
            SigningMethod::Remote => None,
            SigningMethod::Local | SigningMethod::External => {
                let Some(json) = tx.root_approval(group.tenant, group.id, root.ca.id)? else {
                    continue;
                };
                let approval = serde_json::from_slice(&json)
                    .map_err(|_| Error::Inconsistent("the approval of a root does not read"))?;
                Some(approval)
            }
        };
        offered.push(RootOffered {
            root_pem: certificate_pem(&root.ca.certificate),
            cross_pem: certificate_pem(cross),
            approval,
        });
    }
    Ok(offered)
}
