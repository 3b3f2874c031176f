//! What a root from elsewhere is asked to sign.

use enlist_ca::{CA_KEY, issuing_ca_name};
use enlist_core::{
    Actor, CaId, CaKind, CaRequestRecord, CaStanding, Event, Operator, Role, Tenant, Timestamp,
};
use enlist_pki::{Csr, csr};
use enlist_store::Tx;

use super::{KnownCa, is_surely_unrecorded, standing};
use crate::ca_keys::CaKeys;
use crate::{Error, Ops, scope};

/// A request for the certificate of an issuing CA.
#[derive(Debug, Clone)]
pub struct CaRequestView {
    /// The request.
    pub csr: Csr,
    /// Whether it is for another certificate over the key of the CA that issues now.
    pub renews: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl CaRequestView {
    pub(super) fn of(request: &CaRequestRecord, cas: &[KnownCa]) -> Result<Self, Error> {
        let csr = read(request)?;
        Ok(Self {
            renews: renewed(&csr, cas).is_some(),
            csr,
            created_at: request.created_at,
        })
    }
}

/// The CA whose key a request is about already.
pub(super) fn renewed<'a>(csr: &Csr, cas: &'a [KnownCa]) -> Option<&'a KnownCa> {
    let key = csr.public_key().spki_der();
    cas.iter().find(|ca| ca.certificate.spki_der() == key)
}

pub(super) fn read(request: &CaRequestRecord) -> Result<Csr, Error> {
    Csr::from_der(&request.csr)
        .map_err(|_| Error::Inconsistent("the request for a CA does not read"))
}

impl Ops {
    /// The requests of a tenant that wait for a root from elsewhere, oldest first.
    ///
    /// # Errors
    /// When the tenant is not there.
    pub async fn ca_requests(
        &self,
        who: &Operator,
        tenant: String,
    ) -> Result<Vec<CaRequestView>, Error> {
        let who = who.clone();
        self.inner
            .store
            .read("ca_requests", move |tx| {
                let tenant = scope::tenant(tx, &who, who.role, &tenant)?;
                let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
                let requests = tx.ca_requests(tenant.id)?;
                requests
                    .iter()
                    .map(|one| CaRequestView::of(one, &cas))
                    .collect()
            })
            .await
    }

    /// Asks a root from elsewhere for an issuing CA: a new one, or one with the key of the current one.
    /// Where that is asked already, it is the same request.
    pub(super) async fn request_ca(
        &self,
        who: &Operator,
        tenant: Tenant,
        renews: bool,
    ) -> Result<CaRequestView, Error> {
        let request = if renews {
            self.renewal_request(&tenant).await?
        } else {
            self.new_request(&tenant)?
        };
        let (who, now, made) = (who.clone(), self.now(), request.key.clone());
        let asked = self
            .inner
            .store
            .write("request_ca", move |tx| {
                scope::tenant(tx, &who, Role::Admin, tenant.name.as_str())?;
                // One after the other: whoever comes second finds the request of the first.
                tx.current_root()?;
                let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
                if !renews && standing(&cas, CaStanding::Next).is_some() {
                    return Err(Error::CaRolloverUnderWay);
                }
                if let Some(there) = asked(tx, &tenant, &cas, renews)? {
                    return Ok((there, false));
                }
                tx.insert_ca_request(&request)?;
                let by = Actor::Operator(who.token);
                let event = Event::new("ca-requested", tenant.subject(), by, now);
                tx.append(&event.with("renews", renews))?;
                Ok((CaRequestView::of(&request, &cas)?, true))
            })
            .await;
        let unused = match &asked {
            Ok((_, recorded)) => !recorded,
            Err(error) => is_surely_unrecorded(error),
        };
        // The key of a renewal is in use, whatever comes of it.
        if unused && !renews {
            self.inner.authorities.keys().discard([&made]);
        }
        asked.map(|(view, _)| view)
    }

    /// A request for a new issuing CA. Nothing is recorded.
    pub(crate) fn new_request(&self, tenant: &Tenant) -> Result<CaRequestRecord, Error> {
        let keys: &CaKeys = self.inner.authorities.keys();
        let made = keys.make(CA_KEY, &*self.inner.rng)?;
        let name = issuing_ca_name(&tenant.name, made.signer.public_key())?;
        Ok(CaRequestRecord {
            ca: CaId::new(&*self.inner.clock, &*self.inner.rng),
            tenant: tenant.id,
            csr: csr::build_for(&*made.signer, &name).map_err(Error::signing)?,
            key: made.key,
            created_at: self.now(),
        })
    }

    async fn renewal_request(&self, tenant: &Tenant) -> Result<CaRequestRecord, Error> {
        let cas = self.cas_of(tenant.id).await?;
        let current = standing(&cas, CaStanding::Current).ok_or_else(|| Error::AwaitingCa {
            name: tenant.name.clone(),
        })?;
        let keys: &CaKeys = self.inner.authorities.keys();
        let signer = keys
            .open(&current.record.key, &current.certificate)?
            .ok_or(Error::Inconsistent("an issuing CA without its key"))?;
        let name = current.certificate.subject();
        Ok(CaRequestRecord {
            ca: CaId::new(&*self.inner.clock, &*self.inner.rng),
            tenant: tenant.id,
            csr: csr::build_for(&*signer, &name).map_err(Error::signing)?,
            key: current.record.key.clone(),
            created_at: self.now(),
        })
    }
}

/// What was asked before.
fn asked(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    cas: &[KnownCa],
    renews: bool,
) -> Result<Option<CaRequestView>, Error> {
    for request in tx.ca_requests(tenant.id)? {
        let view = CaRequestView::of(&request, cas)?;
        if view.renews == renews {
            return Ok(Some(view));
        }
    }
    Ok(None)
}
