//! How far the fleet is with the next root.

use std::collections::HashMap;
use std::time::Duration;

use enlist_core::{
    CaStanding, Digest, Group, Name, Operator, Role, RootRecord, SigningMethod, Tenant, Timestamp,
};
use enlist_store::{Readiness, Tx};

use super::standing;
use crate::{Error, Ops, What, scope};

/// A device that was not seen for so long does not hold a rollover up.
pub(super) const LATELY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most devices that are named.
const NAMED: u64 = 1000;

/// How far a tenant's devices are with the next root.
#[derive(Debug, Clone)]
pub struct Rollover {
    /// The tenant.
    pub tenant: Tenant,
    /// SHA-256 of the next root; `None` where there is none, and nothing to count.
    pub next: Option<Digest>,
    /// Its groups that have active devices, or the one that was asked for.
    pub groups: Vec<GroupReadiness>,
    /// The first 1000 devices that were seen lately and do not hold it.
    pub missing: Vec<UnreadyDevice>,
}

/// How far a group's devices are with the next root.
#[derive(Debug, Clone)]
pub struct GroupReadiness {
    /// The group.
    pub group: Name,
    /// The numbers.
    pub counted: Readiness,
    /// Whether the group's own signers have said yes; `None` where the server signs for it.
    pub approved: Option<bool>,
}

/// A device that was seen lately and does not hold the next root.
#[derive(Debug, Clone)]
pub struct UnreadyDevice {
    /// Its group.
    pub group: Name,
    /// Its name.
    pub name: Name,
    /// When it last reported; `None` where it never has.
    pub seen_at: Option<Timestamp>,
}

impl Ops {
    /// How far the devices of a tenant, or of one group, are with the next root. `missing` asks for the
    /// names of those that are not there yet, too.
    ///
    /// # Errors
    /// When the tenant or the group is not there.
    pub async fn rollover(
        &self,
        who: &Operator,
        tenant: String,
        group: Option<String>,
        missing: bool,
    ) -> Result<Rollover, Error> {
        let (who, since) = (who.clone(), self.now() - LATELY);
        self.inner
            .store
            .read("rollover", move |tx| {
                let (tenant, own) = scope::part(tx, &who, Role::Viewer, &tenant)?;
                let mut groups = tx.groups(tenant.id)?;
                groups.retain(|group| who.sees_group(group.id));
                if let Some(name) = &group {
                    groups.retain(|group| group.name.as_str() == name);
                    if groups.is_empty() {
                        return Err(Error::not_found(What::Group, name));
                    }
                }
                let roots = tx.offered_roots()?;
                let Some(next) = standing(&roots, CaStanding::Next) else {
                    return Ok(Rollover {
                        tenant,
                        next: None,
                        groups: Vec::new(),
                        missing: Vec::new(),
                    });
                };
                let only = group.as_ref().and_then(|_| groups.first());
                let only = only.map(|group| group.id).or(own);
                let names: HashMap<_, _> = groups.iter().map(|one| (one.id, one)).collect();
                let digest = Digest::of(&next.ca.certificate);
                let mut counted = Vec::new();
                for readiness in tx.readiness(tenant.id, &digest, since)? {
                    if let Some(group) = names.get(&readiness.group) {
                        counted.push(of_group(tx, group, next, readiness)?);
                    }
                }
                counted.sort_by(|a, b| a.group.cmp(&b.group));
                let mut unready = Vec::new();
                if missing {
                    for one in tx.unready(tenant.id, only, &digest, (since, NAMED))? {
                        if let Some(group) = names.get(&one.group) {
                            unready.push(UnreadyDevice {
                                group: group.name.clone(),
                                name: one.name,
                                seen_at: one.seen_at,
                            });
                        }
                    }
                }
                Ok(Rollover {
                    tenant,
                    next: Some(digest),
                    groups: counted,
                    missing: unready,
                })
            })
            .await
    }
}

fn of_group(
    tx: &mut Tx<'_>,
    group: &Group,
    next: &RootRecord,
    counted: Readiness,
) -> Result<GroupReadiness, Error> {
    let approved = match group.signing.method {
        SigningMethod::Remote => None,
        SigningMethod::Local | SigningMethod::External => Some(
            tx.root_approval(group.tenant, group.id, next.ca.id)?
                .is_some(),
        ),
    };
    Ok(GroupReadiness {
        group: group.name.clone(),
        counted,
        approved,
    })
}
