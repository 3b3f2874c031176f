//! Tenants.

use enlist_core::{
    Actor, CaId, CaKey, CaRecord, CaRequestRecord, Event, Group, GroupId, Name, Operator, Role,
    SigningKeyRecord, Tenant, TenantId, TenantState,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use crate::authorities::make_issuing;
use crate::cas::left_nothing;
use crate::setup::default_group;
use crate::{Error, Ops, What, scope, signing};

/// What a tenant starts with, but for its CA.
#[derive(Clone)]
struct Beginnings {
    tenant: Tenant,
    group: Group,
    keys: Vec<SigningKeyRecord>,
    by: Actor,
}

/// The issuing CA that a tenant starts with.
enum FirstCa {
    Made(CaRecord),
    /// A root from elsewhere has to sign it first.
    Requested(CaRequestRecord),
}

impl Beginnings {
    /// Records the tenant. `None`, and nothing recorded, where its CA stands under a root that is not
    /// the current one any more, or has been taken offline.
    fn record(&self, tx: &mut Tx<'_>, root: CaId, ca: &FirstCa) -> Result<Option<Tenant>, Error> {
        let current = tx.current_root()?.filter(|current| current.ca.id == root);
        let Some(current) = current else {
            return Ok(None);
        };
        let tenant = &self.tenant;
        if !tx.insert_tenant(tenant)? {
            return Err(Error::NameTaken {
                what: What::Tenant,
                name: tenant.name.clone(),
            });
        }
        match ca {
            FirstCa::Made(_) if current.ca.key == CaKey::Offline => return Ok(None),
            FirstCa::Made(ca) => tx.insert_ca(ca)?,
            FirstCa::Requested(request) => tx.insert_ca_request(request)?,
        }
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
    /// Makes a tenant with an issuing CA of its own and a group `default`. Where the root is offline, or
    /// `request` is set, a request for a root from elsewhere is made in place of the CA, and the tenant
    /// waits for that.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, or the name is taken.
    pub async fn add_tenant(
        &self,
        who: &Operator,
        name: Name,
        request: bool,
    ) -> Result<Tenant, Error> {
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
            let mut beginnings = beginnings.clone();
            let tenant = &mut beginnings.tenant;
            let ca = match hierarchy.root_authority().filter(|_| !request) {
                Some(root) => {
                    FirstCa::Made(make_issuing(root, authorities.keys(), tenant, clock, rng)?)
                }
                None => {
                    tenant.state = TenantState::AwaitingCa;
                    FirstCa::Requested(self.new_request(tenant)?)
                }
            };
            let key = match &ca {
                FirstCa::Made(ca) => ca.key.clone(),
                FirstCa::Requested(request) => request.key.clone(),
            };
            let root = hierarchy.root_id();
            let added = self
                .inner
                .store
                .write("add_tenant", move |tx| beginnings.record(tx, root, &ca))
                .await;
            if left_nothing(&added) {
                authorities.keys().discard([&key]);
            }
            match added? {
                Some(tenant) => return Ok(tenant),
                // The root was retired or taken offline on another server.
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

    /// The names of the tenant and of the one group that `who` belongs to; `None` for all there are.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn reach_of(&self, who: &Operator) -> Result<(Option<Name>, Option<Name>), Error> {
        let (Some(tenant), group) = (who.tenant, who.group) else {
            return Ok((None, None));
        };
        self.inner
            .store
            .read("reach_of", move |tx| {
                let group = match group {
                    Some(group) => tx.group(tenant, group)?.map(|group| group.name),
                    None => None,
                };
                Ok((tx.tenant(tenant)?.map(|tenant| tenant.name), group))
            })
            .await
    }

    /// The installation's root certificate.
    pub fn root(&self) -> Certificate {
        self.inner.authorities.hierarchy().root().clone()
    }
}
