//! Whom the devices of a tenant and their consumers believe.

use enlist_ca::{IssuingCa, Pointers};
use enlist_core::{CaKind, CaStanding, Operator, Tenant, TenantId};
use enlist_pki::Certificate;

use super::{KnownCa, is_needed, standing};
use crate::{Error, Ops, scope};

/// Whom a tenant's devices and their consumers believe.
#[derive(Debug, Clone)]
pub struct TenantAuthority {
    /// The CA that signs the tenant's device certificates.
    pub issuing: Certificate,
    /// What stands above it, up to the outermost, where a root from outside has signed it.
    pub chain: Vec<Certificate>,
    /// All that consumers anchor at, each CA signed by itself: the one that issues, the one that is to
    /// follow, and those that are retired and have certificates that are still valid.
    pub anchors: Vec<Certificate>,
    /// The installation's root.
    pub root: Certificate,
}

/// The CAs of a tenant as a client of any kind should know them.
#[derive(Debug, Clone)]
pub(crate) struct TenantChain {
    /// The CA that issues, the one that is to follow, and those that are retired and still needed.
    pub(crate) issuing: Vec<Certificate>,
    /// What stands above any of these, each once: the roots of the installation that they need, and
    /// those from outside with what is between.
    pub(crate) above: Vec<Certificate>,
}

impl Ops {
    /// Whom a tenant's devices and their consumers believe.
    ///
    /// # Errors
    /// When the tenant is not there, or has no issuing CA yet.
    pub async fn tenant_authority(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<TenantAuthority, Error> {
        let who = who.clone();
        let tenant = self
            .inner
            .store
            .read("tenant_authority", move |tx| {
                // Trust anchors are no secret: every role needs them to do its work.
                scope::part(tx, &who, who.role, &tenant).map(|(tenant, _)| tenant)
            })
            .await?;
        let needed = self.needed_cas(tenant.id).await?;
        let issuing = current(&needed, &tenant)?;
        let mut anchors = Vec::with_capacity(needed.len());
        for ca in &needed {
            // Opened anew only where this server has not signed with it yet.
            let ca = self.ca(ca.id).await?;
            let ca = ca.ok_or(Error::Inconsistent("a CA is gone"))?;
            let Some(authority) = self.authority_of(&ca)? else {
                continue;
            };
            anchors.push(IssuingCa::new(authority, &Pointers::default())?.anchor()?);
        }
        Ok(TenantAuthority {
            issuing: issuing.certificate.clone(),
            chain: issuing.chain.clone(),
            anchors,
            root: self.root(),
        })
    }

    /// The CAs of a tenant and what stands above them.
    pub(crate) async fn tenant_anchors(&self, tenant: &Tenant) -> Result<TenantChain, Error> {
        let needed = self.needed_cas(tenant.id).await?;
        current(&needed, tenant)?;
        let hierarchy = self.inner.authorities.hierarchy();
        let mut above = vec![hierarchy.root().clone()];
        above.extend(hierarchy.next().cloned());
        for one in needed.iter().flat_map(|ca| &ca.chain) {
            if !above.contains(one) {
                above.push(one.clone());
            }
        }
        Ok(TenantChain {
            issuing: needed.iter().map(|ca| ca.certificate.clone()).collect(),
            above,
        })
    }

    /// The CAs of a tenant that anybody may still meet a certificate of: the one that issues first, then
    /// the one that is to follow.
    async fn needed_cas(&self, tenant: TenantId) -> Result<Vec<KnownCa>, Error> {
        let now = self.now();
        let mut needed = self
            .inner
            .store
            .read("needed_cas", move |tx| {
                let mut needed = Vec::new();
                for ca in KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant))?)? {
                    if is_needed(tx, &ca, now)? {
                        needed.push(ca);
                    }
                }
                Ok::<_, Error>(needed)
            })
            .await?;
        needed.sort_by_key(|ca| match ca.standing {
            CaStanding::Current => 0,
            CaStanding::Next => 1,
            CaStanding::Retired => 2,
        });
        Ok(needed)
    }
}

fn current<'a>(cas: &'a [KnownCa], tenant: &Tenant) -> Result<&'a KnownCa, Error> {
    standing(cas, CaStanding::Current).ok_or_else(|| Error::AwaitingCa {
        name: tenant.name.clone(),
    })
}
