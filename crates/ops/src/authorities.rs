//! The CAs of this installation, their keys unwrapped once and kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use enlist_ca::{Authority, CA_KEY, IssuingCa, Pointers, make_issuing_ca};
use enlist_core::{CaId, CaKind, CaRecord, Clock, Rng, Serial, Tenant, TenantId};
use enlist_keys::{FileKey, WrappingKey};
use enlist_pki::{Certificate, Signer};
use tokio::sync::Notify;

use crate::setup::Installation;
use crate::{Error, Ops};

/// The CAs as this server knows them. They change when the root does; whoever does one thing with
/// several of them does it with one [`Hierarchy`].
pub(crate) struct Authorities {
    wrapping: WrappingKey,
    hierarchy: RwLock<Arc<Hierarchy>>,
    changed: Notify,
}

/// The CAs under one root.
pub(crate) struct Hierarchy {
    root_id: CaId,
    root: Certificate,
    root_pem: Arc<str>,
    /// `None` where the root's key is kept offline.
    root_authority: Option<Authority>,
    next: Option<Certificate>,
    service_id: CaId,
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
    pub(crate) fn new(wrapping: WrappingKey, installation: &Installation) -> Result<Self, Error> {
        let hierarchy = Hierarchy::open(&wrapping, installation)?;
        Ok(Self {
            wrapping,
            hierarchy: RwLock::new(Arc::new(hierarchy)),
            changed: Notify::new(),
        })
    }

    /// The CAs at this moment.
    pub(crate) fn hierarchy(&self) -> Arc<Hierarchy> {
        let hierarchy = self.hierarchy.read();
        hierarchy.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes over to what is on record by now. False where it was known.
    pub(crate) fn follow(&self, installation: &Installation) -> Result<bool, Error> {
        if self.hierarchy().is_of(installation) {
            return Ok(false);
        }
        let hierarchy = Arc::new(Hierarchy::open(&self.wrapping, installation)?);
        *self
            .hierarchy
            .write()
            .unwrap_or_else(PoisonError::into_inner) = hierarchy;
        self.changed.notify_one();
        Ok(true)
    }

    /// Ends when [`Authorities::follow`] has gone over to something new, for the one who waits.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What wraps the keys in the store.
    pub(crate) fn wrapping(&self) -> &WrappingKey {
        &self.wrapping
    }

    fn open_issuing(&self, record: &CaRecord) -> Result<Issuing, Error> {
        let ca = IssuingCa::new(authority(&self.wrapping, record)?, &Pointers::default())?;
        Ok(Issuing { id: record.id, ca })
    }
}

impl Hierarchy {
    fn open(wrapping: &WrappingKey, installation: &Installation) -> Result<Self, Error> {
        let (root, service) = (&installation.root, &installation.service);
        let certificate = read(root)?;
        Ok(Self {
            root_id: root.id,
            root_pem: certificate.to_pem().into(),
            root: certificate,
            root_authority: match &root.wrapped_key {
                Some(_) => Some(authority(wrapping, root)?),
                None => None,
            },
            next: installation.next.as_ref().map(read).transpose()?,
            service_id: service.id,
            service: authority(wrapping, service)?,
            issuing: RwLock::default(),
            pems: RwLock::default(),
        })
    }

    fn is_of(&self, installation: &Installation) -> bool {
        let next = installation.next.as_ref();
        self.root_id == installation.root.id
            && self.service_id == installation.service.id
            && self.next.as_ref().map(Certificate::der)
                == next.map(|next| next.certificate.as_slice())
    }

    pub(crate) fn root_id(&self) -> CaId {
        self.root_id
    }

    pub(crate) fn root(&self) -> &Certificate {
        &self.root
    }

    pub(crate) fn root_pem(&self) -> Arc<str> {
        self.root_pem.clone()
    }

    /// The root's key, where it is here.
    pub(crate) fn root_authority(&self) -> Option<&Authority> {
        self.root_authority.as_ref()
    }

    /// The root that is to follow.
    pub(crate) fn next(&self) -> Option<&Certificate> {
        self.next.as_ref()
    }

    pub(crate) fn service(&self) -> &Authority {
        &self.service
    }

    /// Makes an issuing CA for a new tenant. Nothing is recorded.
    pub(crate) fn new_issuing_ca(
        &self,
        wrapping: &WrappingKey,
        tenant: &Tenant,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<CaRecord, Error> {
        let root = self.root_authority.as_ref().ok_or(Error::AwaitingCa {
            name: tenant.name.clone(),
        })?;
        make_issuing(root, wrapping, tenant, clock, rng)
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

pub(crate) fn read(record: &CaRecord) -> Result<Certificate, Error> {
    Certificate::from_der(&record.certificate)
        .map_err(|_| Error::Inconsistent("a CA's certificate does not read"))
}

pub(crate) fn authority(wrapping: &WrappingKey, record: &CaRecord) -> Result<Authority, Error> {
    let wrapped = record
        .wrapped_key
        .as_ref()
        .ok_or(Error::Inconsistent("a CA without its key"))?;
    let key = wrapping.unwrap(wrapped).map_err(Error::signing)?;
    Ok(Authority::new(read(record)?, Arc::new(key))?)
}

/// The newest certificate of the CA that `record` is of: the CA keeps its key when the root changes, and
/// gets another certificate.
fn newest(record: &CaRecord, all: &[CaRecord]) -> Result<Certificate, Error> {
    let certificate = read(record)?;
    for other in all {
        let other = read(other)?;
        if other.spki_der() == certificate.spki_der()
            && other.subject_der() == certificate.subject_der()
        {
            return Ok(other);
        }
    }
    Ok(certificate)
}

impl Ops {
    /// The issuing CA of a tenant.
    pub(crate) async fn issuing_ca(&self, tenant: &Tenant) -> Result<Arc<Issuing>, Error> {
        let authorities = &self.inner.authorities;
        let hierarchy = authorities.hierarchy();
        let known = hierarchy.issuing.read();
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
        let issuing = Arc::new(authorities.open_issuing(&record)?);
        let mut all = hierarchy
            .issuing
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(tenant.id).or_insert(issuing).clone())
    }

    /// The certificate of an issuing CA, PEM: the newest one over its key, under the root of today.
    pub(crate) async fn issuer_pem(&self, id: CaId) -> Result<Arc<str>, Error> {
        let hierarchy = self.inner.authorities.hierarchy();
        let known = hierarchy.pems.read();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(pem) = known {
            return Ok(pem);
        }
        let (record, all) = self
            .inner
            .store
            .read("issuer", move |tx| {
                let record = tx
                    .ca(id)?
                    .ok_or(Error::Inconsistent("a certificate without its issuer"))?;
                let all = tx.cas(record.kind, record.tenant)?;
                Ok::<_, Error>((record, all))
            })
            .await?;
        let pem: Arc<str> = newest(&record, &all)?.to_pem().into();
        let mut all = hierarchy
            .pems
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(all.entry(id).or_insert(pem).clone())
    }
}
