//! Another certificate for a CA that has a key.

use enlist_ca::{Authority, make_issuing_ca, make_service_ca};
use enlist_core::{
    Actor, CaId, CaKey, CaKind, CaRecord, CaStanding, Event, Operator, Serial, Tenant, Timestamp,
};
use enlist_pki::Certificate;
use enlist_store::Tx;

use super::{CaAdded, CaView, KnownCa, after, standing};
use crate::authorities::read;
use crate::{Error, Ops};

impl Ops {
    /// Renews the issuing CA of a tenant: another certificate over the name and key that it has, so that
    /// what it has issued and what consumers anchor at stays good. Where the root is offline, or is not
    /// what has signed it, a request for whoever has is made in its place.
    ///
    /// # Errors
    /// When `who` does not administer the tenant, or it has no issuing CA yet.
    pub async fn renew_ca(&self, who: &Operator, tenant: String) -> Result<CaAdded, Error> {
        let tenant = self.tenant_to_administer(who, tenant).await?;
        let by = Actor::Operator(who.token);
        self.follow_roots().await?;
        match self.renew_here(&tenant, by).await? {
            Some(view) => Ok(CaAdded::Signed(Box::new(view))),
            None => {
                let request = self.request_ca(who, tenant, true).await?;
                Ok(CaAdded::Requested(Box::new(request)))
            }
        }
    }

    /// Looks, once an hour at most, for issuing CAs whose time is nearly up, and renews those whose root is
    /// here. Says how many were renewed, and how many need a person. Safe to run on any number of servers
    /// at once.
    ///
    /// # Errors
    /// When the store fails, or a key can't sign.
    pub async fn renew_cas_in_time(&self) -> Result<(usize, usize), Error> {
        if !self.inner.authorities.is_time_to_renew(self.now()) {
            return Ok((0, 0));
        }
        self.renew_cas().await
    }

    async fn renew_cas(&self) -> Result<(usize, usize), Error> {
        let now = self.now();
        let due = self
            .inner
            .store
            .read("cas_due", move |tx| {
                let mut due = Vec::new();
                for tenant in tx.tenants()? {
                    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
                    let current = standing(&cas, CaStanding::Current);
                    if let Some(ca) = current.filter(|ca| renewal_due(&ca.certificate, now)) {
                        due.push((tenant, ca.certificate.not_after()));
                    }
                }
                Ok::<_, Error>(due)
            })
            .await?;
        let root_ends = self.inner.authorities.hierarchy().root().not_after();
        let (mut renewed, mut left) = (0, 0);
        for (tenant, ends) in due {
            // Under a root that ends no later there is nothing to gain.
            let made = match ends < root_ends {
                true => self.renew_here(&tenant, Actor::Server).await?,
                false => None,
            };
            match made {
                Some(_) => renewed += 1,
                None => left += 1,
            }
        }
        Ok((renewed, left))
    }

    /// Renews a tenant's issuing CA under the installation's root. `None` where that can't be done here.
    async fn renew_here(&self, tenant: &Tenant, by: Actor) -> Result<Option<CaView>, Error> {
        loop {
            let hierarchy = self.inner.authorities.hierarchy();
            let cas = self.cas_of(tenant.id).await?;
            let current = standing(&cas, CaStanding::Current).ok_or_else(|| Error::AwaitingCa {
                name: tenant.name.clone(),
            })?;
            let Some(root) = hierarchy.root_authority() else {
                return Ok(None);
            };
            if !current.is_under_our_root() {
                return Ok(None);
            }
            let renewed = self.again(root, &current.record, Some(tenant))?;
            let (root, before) = (hierarchy.root_id(), current.record.id);
            let (tenant, by, now) = (tenant.clone(), by.clone(), self.now());
            let recorded = self
                .inner
                .store
                .write("renew_ca", move |tx| {
                    record(tx, &tenant, (root, before), &renewed, &by, now)
                })
                .await?;
            self.follow_roots().await?;
            if let Some(view) = recorded {
                return Ok(Some(view));
            }
        }
    }

    /// The same CA, with the same name and key, certified by `root` anew. Nothing is recorded.
    pub(crate) fn again(
        &self,
        root: &Authority,
        ca: &CaRecord,
        tenant: Option<&Tenant>,
    ) -> Result<CaRecord, Error> {
        let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
        let before = read(ca)?;
        let key = before.public_key().map_err(Error::signing)?;
        let (serial, now) = (Serial::new(clock, rng), clock.now());
        let certificate = match tenant {
            Some(tenant) => make_issuing_ca(root, &tenant.name, &key, serial, now)?,
            None => make_service_ca(root, &key, serial, now)?,
        };
        if certificate.subject_der() != before.subject_der() {
            // What it has issued would name an issuer that is not there any more.
            return Err(Error::Inconsistent("a CA would change its name"));
        }
        Ok(CaRecord {
            id: CaId::new(clock, rng),
            tenant: ca.tenant,
            kind: ca.kind,
            standing: ca.standing,
            certificate: certificate.der().to_vec(),
            chain: Vec::new(),
            key: ca.key.clone(),
            created_at: after(ca, now),
        })
    }
}

/// Whether less than a fifth of a certificate's life is left.
fn renewal_due(certificate: &Certificate, now: Timestamp) -> bool {
    let (start, end) = (certificate.not_before(), certificate.not_after());
    now.as_secs() >= end - (end - start) / 5
}

/// `None`, and nothing recorded, where root or CA are not what they were.
fn record(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    (root, before): (CaId, CaId),
    renewed: &CaRecord,
    by: &Actor,
    now: Timestamp,
) -> Result<Option<CaView>, Error> {
    // First, so that nobody retires the root meanwhile, takes it offline, or renews the CA, too.
    let current = tx.current_root()?;
    if !current.is_some_and(|now| now.ca.id == root && now.ca.key != CaKey::Offline) {
        return Ok(None);
    }
    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
    if standing(&cas, CaStanding::Current).is_none_or(|ca| ca.record.id != before) {
        return Ok(None);
    }
    tx.insert_ca(renewed)?;
    let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
    let ca = standing(&cas, CaStanding::Current)
        .ok_or(Error::Inconsistent("a CA is gone that was just recorded"))?;
    let event = Event::new("ca-renewed", tenant.subject(), by.clone(), now)
        .with("ca", ca.certificate.fingerprint_hex());
    tx.append(&event)?;
    CaView::of(tx, ca, now).map(Some)
}
