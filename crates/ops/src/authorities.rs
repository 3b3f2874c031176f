//! The CAs of this installation, their keys unwrapped once and kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use enlist_ca::{Authority, CA_KEY, IssuingCa, Pointers, make_issuing_ca};
use enlist_core::{CaId, CaKind, CaRecord, CaStanding, Clock, Rng, Serial, Tenant, TenantId};
use enlist_keys::WrappingKey;
use enlist_pki::Certificate;
use tokio::sync::Notify;

use crate::ca_keys::CaKeys;
use crate::setup::Installation;
use crate::{Error, Ops};

/// The CAs as this server knows them. They change when the root does; whoever does one thing with
/// several of them does it with one [`Hierarchy`].
pub(crate) struct Authorities {
    keys: CaKeys,
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
    pub(crate) fn new(keys: CaKeys, installation: &Installation) -> Result<Self, Error> {
        let hierarchy = Hierarchy::open(&keys, installation)?;
        Ok(Self {
            keys,
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
        let hierarchy = Arc::new(Hierarchy::open(&self.keys, installation)?);
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

    /// Where the keys of CAs live.
    pub(crate) fn keys(&self) -> &CaKeys {
        &self.keys
    }

    /// What wraps the keys in the store.
    pub(crate) fn wrapping(&self) -> &WrappingKey {
        self.keys.wrapping()
    }

    fn open_issuing(&self, record: &CaRecord) -> Result<Issuing, Error> {
        let authority = authority(&self.keys, record)?
            .ok_or(Error::Inconsistent("an issuing CA without its key"))?;
        let ca = IssuingCa::new(authority, &Pointers::default())?;
        Ok(Issuing { id: record.id, ca })
    }
}

impl Hierarchy {
    fn open(keys: &CaKeys, installation: &Installation) -> Result<Self, Error> {
        let (root, service) = (&installation.root, &installation.service);
        let certificate = read(root)?;
        Ok(Self {
            root_id: root.id,
            root_pem: certificate.to_pem().into(),
            root: certificate,
            root_authority: authority(keys, root)?,
            next: installation.next.as_ref().map(read).transpose()?,
            service_id: service.id,
            service: authority(keys, service)?
                .ok_or(Error::Inconsistent("a service CA without its key"))?,
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
        keys: &CaKeys,
        tenant: &Tenant,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<CaRecord, Error> {
        let root = self.root_authority.as_ref().ok_or(Error::AwaitingCa {
            name: tenant.name.clone(),
        })?;
        make_issuing(root, keys, tenant, clock, rng)
    }
}

/// Makes a tenant's issuing CA under `root`.
pub(crate) fn make_issuing(
    root: &Authority,
    keys: &CaKeys,
    tenant: &Tenant,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<CaRecord, Error> {
    let made = keys.make(CA_KEY, rng)?;
    let (serial, key) = (Serial::generate(rng), made.signer.public_key());
    let certificate = make_issuing_ca(root, &tenant.name, key, serial, clock.now())?;
    Ok(CaRecord {
        id: CaId::new(clock, rng),
        tenant: Some(tenant.id),
        kind: CaKind::Issuing,
        standing: CaStanding::Current,
        certificate: certificate.der().to_vec(),
        chain: Vec::new(),
        key: made.key,
        created_at: clock.now(),
    })
}

pub(crate) fn read(record: &CaRecord) -> Result<Certificate, Error> {
    Certificate::from_der(&record.certificate)
        .map_err(|_| Error::Inconsistent("a CA's certificate does not read"))
}

/// The CA of a record; `None` where its key is not within reach.
pub(crate) fn authority(keys: &CaKeys, record: &CaRecord) -> Result<Option<Authority>, Error> {
    let Some(signer) = keys.open(&record.key)? else {
        return Ok(None);
    };
    Ok(Some(Authority::new(read(record)?, signer)?))
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
