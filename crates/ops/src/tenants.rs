//! Tenants.

use enlist_core::{
    Actor, Event, Group, GroupId, Name, Operator, Role, Subject, Tenant, TenantId, TenantState,
};
use enlist_pki::Certificate;

use crate::setup::default_group;
use crate::{Error, Ops, What, scope};

/// Whom a tenant's devices and their consumers believe.
#[derive(Debug, Clone)]
pub struct TenantAuthority {
    /// The CA that signs the tenant's device certificates.
    pub issuing: Certificate,
    /// The same CA signed by itself: what consumers anchor at.
    pub anchor: Certificate,
    /// The installation's root.
    pub root: Certificate,
}

impl Ops {
    /// Makes a tenant with an issuing CA of its own and a group `default`.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, or the name is taken.
    pub async fn add_tenant(&self, who: &Operator, name: Name) -> Result<Tenant, Error> {
        scope::installation(who)?;
        let now = self.now();
        let tenant = Tenant {
            id: TenantId::new(&*self.inner.clock, &*self.inner.rng),
            name,
            state: TenantState::Active,
            created_at: now,
        };
        let ca =
            self.inner
                .authorities
                .new_issuing_ca(&tenant, &*self.inner.clock, &*self.inner.rng)?;
        let group: Group = default_group(
            GroupId::new(&*self.inner.clock, &*self.inner.rng),
            tenant.id,
            now,
        );
        let who = who.clone();
        self.inner
            .store
            .write("add_tenant", move |tx| {
                if !tx.insert_tenant(&tenant)? {
                    return Err(Error::NameTaken {
                        what: What::Tenant,
                        name: tenant.name.clone(),
                    });
                }
                tx.insert_ca(&ca)?;
                tx.insert_group(&group)?;
                let subject = Subject {
                    tenant: tenant.id,
                    group: None,
                    device: None,
                    name: tenant.name.to_string(),
                };
                let by = Actor::Operator(who.token);
                tx.append(&Event::new("tenant-created", subject, by, now))?;
                Ok(tenant.clone())
            })
            .await
    }

    /// The tenants that `who` can see.
    ///
    /// # Errors
    /// When `who` may not read.
    pub async fn tenants(&self, who: &Operator) -> Result<Vec<Tenant>, Error> {
        scope::allow(who, Role::Viewer)?;
        let who = who.clone();
        self.inner
            .store
            .read("tenants", move |tx| {
                let mut tenants = tx.tenants()?;
                tenants.retain(|tenant| who.sees(tenant.id));
                Ok(tenants)
            })
            .await
    }

    /// The name of a tenant that `who` belongs to; `None` for the whole installation.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn tenant_of(&self, who: &Operator) -> Result<Option<Name>, Error> {
        let Some(id) = who.tenant else {
            return Ok(None);
        };
        self.inner
            .store
            .read("tenant_of", move |tx| {
                Ok(tx.tenant(id)?.map(|tenant| tenant.name))
            })
            .await
    }

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
                scope::tenant(tx, &who, who.role, &tenant)
            })
            .await?;
        let issuing = self.issuing_ca(&tenant).await?;
        Ok(TenantAuthority {
            issuing: issuing.ca.certificate().clone(),
            anchor: issuing.ca.anchor()?,
            root: self.root().clone(),
        })
    }

    /// The installation's root certificate.
    pub fn root(&self) -> &Certificate {
        self.inner.authorities.root()
    }
}
