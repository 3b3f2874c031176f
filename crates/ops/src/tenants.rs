//! Tenants.

use enlist_core::{
    Actor, CaId, CaRecord, Event, Group, GroupId, Name, Operator, Role, SigningKeyRecord, Tenant,
    TenantId, TenantState,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use crate::setup::default_group;
use crate::{Error, Ops, What, scope, signing};

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

/// What a tenant starts with, but for its CA.
#[derive(Clone)]
struct Beginnings {
    tenant: Tenant,
    group: Group,
    keys: Vec<SigningKeyRecord>,
    by: Actor,
}

impl Beginnings {
    /// Records the tenant. `None`, and nothing recorded, where its CA stands under a root that is not
    /// the current one any more.
    fn record(&self, tx: &mut Tx<'_>, root: CaId, ca: &CaRecord) -> Result<Option<Tenant>, Error> {
        if tx
            .current_root()?
            .is_none_or(|current| current.ca.id != root)
        {
            return Ok(None);
        }
        let tenant = &self.tenant;
        if !tx.insert_tenant(tenant)? {
            return Err(Error::NameTaken {
                what: What::Tenant,
                name: tenant.name.clone(),
            });
        }
        tx.insert_ca(ca)?;
        for key in &self.keys {
            tx.insert_signing_key(key)?;
        }
        tx.insert_group(&self.group)?;
        let (by, at) = (self.by.clone(), tenant.created_at);
        tx.append(&Event::new("tenant-created", tenant.subject(), by, at))?;
        Ok(Some(tenant.clone()))
    }
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
        let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
        let group = default_group(GroupId::new(clock, rng), tenant.id, now);
        let authorities = &self.inner.authorities;
        let wrapping = authorities.wrapping();
        let keys = signing::make_all(wrapping, tenant.id, clock, rng)?;
        let beginnings = Beginnings {
            tenant,
            group,
            keys,
            by: Actor::Operator(who.token),
        };
        loop {
            let hierarchy = self.inner.authorities.hierarchy();
            let ca =
                hierarchy.new_issuing_ca(authorities.keys(), &beginnings.tenant, clock, rng)?;
            let (root, beginnings) = (hierarchy.root_id(), beginnings.clone());
            let added = self
                .inner
                .store
                .write("add_tenant", move |tx| beginnings.record(tx, root, &ca))
                .await?;
            match added {
                Some(tenant) => return Ok(tenant),
                // The root was retired on another server.
                None => self.follow_roots().await?,
            };
        }
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
            root: self.root(),
        })
    }

    /// The installation's root certificate.
    pub fn root(&self) -> Certificate {
        self.inner.authorities.hierarchy().root().clone()
    }
}
