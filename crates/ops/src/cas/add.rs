//! The next issuing CA.

use enlist_core::{
    Actor, CaKey, CaKind, CaRecord, CaStanding, Event, Operator, Role, RootRecord, Tenant,
    TenantState,
};
use enlist_store::Tx;

use super::{CaRequestView, CaView, KnownCa, after, left_nothing, standing};
use crate::authorities::make_issuing;
use crate::{Error, Ops, scope};

/// What came of asking for an issuing CA.
#[derive(Debug, Clone)]
pub enum CaAdded {
    /// The installation's root has signed it.
    Signed(Box<CaView>),
    /// A root from elsewhere has to.
    Requested(Box<CaRequestView>),
}

impl Ops {
    /// Makes the issuing CA that is to follow the current one. Nothing is issued under it until the
    /// current one is retired; until then consumers take its anchor up. Where the root is offline, or
    /// `request` is set, a request for a root from elsewhere is made in its place.
    ///
    /// # Errors
    /// When `who` does not administer the tenant, or there is a next one already.
    pub async fn add_ca(
        &self,
        who: &Operator,
        tenant: String,
        request: bool,
    ) -> Result<CaAdded, Error> {
        let tenant = self.tenant_to_administer(who, tenant).await?;
        loop {
            self.follow_roots().await?;
            let hierarchy = self.inner.authorities.hierarchy();
            let Some(root) = hierarchy.root_authority().filter(|_| !request) else {
                let request = self.request_ca(who, tenant, false).await?;
                return Ok(CaAdded::Requested(Box::new(request)));
            };
            let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
            let keys = self.inner.authorities.keys();
            let made = make_issuing(root, keys, &tenant, clock, rng)?;
            let (root, by, now) = (hierarchy.root_id(), Actor::Operator(who.token), self.now());
            let (of, key) = (tenant.clone(), made.key.clone());
            let added = self
                .inner
                .store
                .write("add_ca", move |tx| {
                    // First, so that nobody retires the root meanwhile, or takes it offline.
                    let current = tx.current_root()?;
                    let same = |now: &RootRecord| now.ca.id == root && now.ca.key != CaKey::Offline;
                    if !current.as_ref().is_some_and(same) {
                        return Ok(None);
                    }
                    let made = enter(tx, &of, made.clone())?;
                    let ca = KnownCa::all(vec![made])?;
                    let view = CaView::of(tx, &ca[0], now)?;
                    let event = Event::new("ca-added", of.subject(), by.clone(), now)
                        .with("ca", view.certificate.fingerprint_hex())
                        .with("standing", view.standing.as_str());
                    tx.append(&event)?;
                    Ok::<_, Error>(Some(view))
                })
                .await;
            if left_nothing(&added) {
                keys.discard([&key]);
            }
            if let Some(view) = added? {
                self.follow_roots().await?;
                return Ok(CaAdded::Signed(Box::new(view)));
            }
        }
    }

    /// The tenant of that name, which `who` administers.
    pub(super) async fn tenant_to_administer(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<Tenant, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("tenant_to_administer", move |tx| {
                scope::tenant(tx, &who, Role::Admin, &tenant)
            })
            .await
    }
}

/// Records an issuing CA: as the next one, or as the one that issues where the tenant has none, which is
/// active from then on.
pub(super) fn enter(tx: &mut Tx<'_>, tenant: &Tenant, mut ca: CaRecord) -> Result<CaRecord, Error> {
    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
    match standing(&cas, CaStanding::Current) {
        Some(current) => {
            ca.standing = CaStanding::Next;
            ca.created_at = after(&current.record, ca.created_at);
            if !tx.insert_next_issuing(&ca)? {
                return Err(Error::CaRolloverUnderWay);
            }
        }
        None => {
            ca.standing = CaStanding::Current;
            tx.insert_ca(&ca)?;
            let mut tenant = tenant.clone();
            tenant.state = TenantState::Active;
            tx.save_tenant(&tenant)?;
        }
    }
    Ok(ca)
}
