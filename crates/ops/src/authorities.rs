//! The CAs of this installation, their keys unwrapped once and kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use enlist_ca::{Authority, CA_KEY, IssuingCa, Pointers, make_issuing_ca};
use enlist_core::{CaId, CaKind, CaRecord, Clock, Rng, Serial, Tenant, TenantId};
use enlist_keys::{FileKey, WrappingKey};
use enlist_pki::{Certificate, Signer};

use crate::{Error, Ops};

pub(crate) struct Authorities {
    wrapping: WrappingKey,
    root: Certificate,
    root_pem: Arc<str>,
    /// `None` where the root's key is kept offline.
    root_authority: Option<Authority>,
    service: Authority,
    issuing: RwLock<HashMap<TenantId, Arc<Issuing>>>,
    pems: RwLock<HashMap<CaId, Arc<str>>>,
}

/// A tenant's issuing CA, ready to sign.
pub(crate) struct Issuing {
    pub(crate) id: CaId,
    pub(crate) ca: IssuingCa,
}

impl Authorities {
    pub(crate) fn new(
        wrapping: WrappingKey,
        root: &CaRecord,
        service: &CaRecord,
    ) -> Result<Self, Error> {
        let certificate = read(root)?;
        Ok(Self {
            root_pem: certificate.to_pem().into(),
            root: certificate,
            root_authority: match &root.wrapped_key {
                Some(_) => Some(authority(&wrapping, root)?),
                None => None,
            },
            service: authority(&wrapping, service)?,
            wrapping,
            issuing: RwLock::default(),
            pems: RwLock::default(),
        })
    }

    pub(crate) fn root(&self) -> &Certificate {
        &self.root
    }

    pub(crate) fn root_pem(&self) -> Arc<str> {
        self.root_pem.clone()
    }

    pub(crate) fn service(&self) -> &Authority {
        &self.service
    }

    /// Makes an issuing CA for a new tenant. Nothing is recorded.
    pub(crate) fn new_issuing_ca(
        &self,
        tenant: &Tenant,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<CaRecord, Error> {
        let root = self.root_authority.as_ref().ok_or(Error::AwaitingCa {
            name: tenant.name.clone(),
        })?;
        make_issuing(root, &self.wrapping, tenant, clock, rng)
    }

    fn open_issuing(&self, record: &CaRecord) -> Result<Issuing, Error> {
        let ca = IssuingCa::new(authority(&self.wrapping, record)?, &Pointers::default())?;
        Ok(Issuing { id: record.id, ca })
    }
}

/// Makes a tenant's issuing CA under `root`.
pub(crate) fn make_issuing(
    root: &Authority,
    wrapping: &WrappingKey,
    tenant: &Tenant,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<CaRecord, Error> {
    let key = FileKey::generate(CA_KEY).map_err(Error::signing)?;
    let serial = Serial::generate(rng);
    let certificate = make_issuing_ca(root, &tenant.name, key.public_key(), serial, clock.now())?;
    Ok(CaRecord {
        id: CaId::new(clock, rng),
        tenant: Some(tenant.id),
        kind: CaKind::Issuing,
        certificate: certificate.der().to_vec(),
        wrapped_key: Some(wrapping.wrap(&key, rng).map_err(Error::signing)?),
        created_at: clock.now(),
    })
}

fn read(record: &CaRecord) -> Result<Certificate, Error> {
    Certificate::from_der(&record.certificate)
        .map_err(|_| Error::Inconsistent("a CA's certificate does not read"))
}

fn authority(wrapping: &WrappingKey, record: &CaRecord) -> Result<Authority, Error> {
    let wrapped = record
        .wrapped_key
        .as_ref()
        .ok_or(Error::Inconsistent("a CA without its key"))?;
    let key = wrapping.unwrap(wrapped).map_err(Error::signing)?;
    Ok(Authority::new(read(record)?, Arc::new(key))?)
}

impl Ops {
    /// The issuing CA of a tenant.
    pub(crate) async fn issuing_ca(&self, tenant: &Tenant) -> Result<Arc<Issuing>, Error> {
        let known = self.inner.authorities.issuing.read();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(&tenant.id)
            .cloned();
        if let Some(issuing) = known {
            return Ok(issuing);
        }
        let (id, name) = (tenant.id, tenant.name.clone());
        let record = self
            .inner
            .store
            .read("issuing_ca", move |tx| {
                tx.cas(CaKind::Issuing, Some(id))?
                    .into_iter()
                    .next()
                    .ok_or_else(|| Error::AwaitingCa { name: name.clone() })
            })
            .await?;
        let issuing = Arc::new(self.inner.authorities.open_issuing(&record)?);
        let mut all = self
            .inner
            .authorities
            .issuing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(tenant.id).or_insert(issuing).clone())
    }

    /// The certificate of an issuing CA, PEM.
    pub(crate) async fn issuer_pem(&self, id: CaId) -> Result<Arc<str>, Error> {
        let known = self.inner.authorities.pems.read();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(pem) = known {
            return Ok(pem);
        }
        let record = self
            .inner
            .store
            .read("issuer", move |tx| {
                tx.ca(id)?
                    .ok_or(Error::Inconsistent("a certificate without its issuer"))
            })
            .await?;
        let pem: Arc<str> = read(&record)?.to_pem().into();
        let mut all = self
            .inner
            .authorities
            .pems
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(id).or_insert(pem).clone())
    }
}
