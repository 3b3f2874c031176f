//! The CAs of this installation, their keys unwrapped once and kept in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use enlist_ca::{Authority, CA_KEY, IssuingCa, Pointers, make_issuing_ca};
use enlist_core::{
    CaId, CaKey, CaKind, CaRecord, CaStanding, Clock, Rng, Serial, Tenant, TenantId, Timestamp,
};
use enlist_keys::WrappingKey;
use enlist_pki::Certificate;
use tokio::sync::Notify;

use crate::Error;
use crate::ca_keys::CaKeys;
use crate::cas::KnownCa;
use crate::setup::{Installation, IssuingStanding};

const AN_HOUR: Duration = Duration::from_secs(3600);

/// The CAs as this server knows them. They change when the root does; whoever does one thing with
/// several of them does it with one [`Hierarchy`].
pub(crate) struct Authorities {
    keys: CaKeys,
    hierarchy: RwLock<Arc<Hierarchy>>,
    /// How the issuing CAs of all tenants stood when they were last looked at.
    standings: Mutex<Vec<IssuingStanding>>,
    /// When somebody last looked for CAs whose time is nearly up.
    looked_for_old: Mutex<Option<Timestamp>>,
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
    issuing: RwLock<IssuingNow>,
    known: RwLock<HashMap<CaId, Arc<KnownCa>>>,
}

/// What issues at this moment, as far as this server has asked.
#[derive(Default)]
struct IssuingNow {
    by_tenant: HashMap<TenantId, Arc<Issuing>>,
    /// How often something was forgotten.
    epoch: u64,
}

/// A tenant's issuing CA, ready to sign.
pub(crate) struct Issuing {
    pub(crate) id: CaId,
    pub(crate) ca: IssuingCa,
    /// Whether a token signs for it, which takes its time.
    pub(crate) in_token: bool,
}

impl Authorities {
    pub(crate) fn new(keys: CaKeys, installation: &Installation) -> Result<Self, Error> {
        let hierarchy = Hierarchy::open(&keys, installation)?;
        Ok(Self {
            keys,
            hierarchy: RwLock::new(Arc::new(hierarchy)),
            standings: Mutex::new(installation.issuing.clone()),
            looked_for_old: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// The CAs at this moment.
    pub(crate) fn hierarchy(&self) -> Arc<Hierarchy> {
        let hierarchy = self.hierarchy.read();
        hierarchy.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes over to what is on record by now. False where no root has changed.
    pub(crate) fn follow(&self, installation: &Installation) -> Result<bool, Error> {
        self.hierarchy()
            .forget(&self.changed_standings(installation));
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

    /// Whether nobody has looked for old CAs for an hour; from now on somebody has.
    pub(crate) fn is_time_to_renew(&self, now: Timestamp) -> bool {
        let mut last = self
            .looked_for_old
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now >= last && now < last + AN_HOUR) {
            return false;
        }
        *last = Some(now);
        true
    }

    /// The tenants whose issuing CAs stand otherwise than at the last look.
    fn changed_standings(&self, installation: &Installation) -> Vec<TenantId> {
        let mut before = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *before == installation.issuing {
            return Vec::new();
        }
        let known: HashSet<_> = before.iter().copied().collect();
        let now: HashSet<_> = installation.issuing.iter().copied().collect();
        let changed: HashSet<_> = known
            .symmetric_difference(&now)
            .map(|(_, tenant, _)| *tenant)
            .collect();
        before.clone_from(&installation.issuing);
        changed.into_iter().collect()
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

    /// Makes a CA ready to issue certificates that point there.
    pub(crate) fn open_issuing(
        &self,
        known: &KnownCa,
        pointers: &Pointers,
    ) -> Result<Issuing, Error> {
        let authority = authority(&self.keys, &known.record)?
            .ok_or(Error::Inconsistent("an issuing CA without its key"))?;
        let ca = IssuingCa::new(authority, pointers)?;
        Ok(Issuing {
            id: known.id,
            ca,
            in_token: matches!(known.record.key, CaKey::Kept(_)),
        })
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
            known: RwLock::default(),
        })
    }

    fn is_of(&self, installation: &Installation) -> bool {
        let next = installation.next.as_ref();
        self.root_id == installation.root.id
            && self.service_id == installation.service.id
            && self.root_authority.is_none() == (installation.root.key == CaKey::Offline)
            && self.next.as_ref().map(Certificate::der)
                == next.map(|next| next.certificate.as_slice())
    }

    /// What issues for a tenant, where this server has asked already.
    pub(crate) fn issuing(&self, tenant: TenantId) -> Option<Arc<Issuing>> {
        let issuing = self.issuing.read().unwrap_or_else(PoisonError::into_inner);
        issuing.by_tenant.get(&tenant).cloned()
    }

    /// To be asked for before what issues for a tenant is looked up, for [`Hierarchy::issue_by`].
    pub(crate) fn epoch(&self) -> u64 {
        let issuing = self.issuing.read().unwrap_or_else(PoisonError::into_inner);
        issuing.epoch
    }

    /// Remembers what issues for a tenant, unless somebody has been quicker. What was looked up before
    /// something was forgotten is not remembered: it may be what was meant.
    pub(crate) fn issue_by(
        &self,
        tenant: TenantId,
        issuing: Arc<Issuing>,
        epoch: u64,
    ) -> Arc<Issuing> {
        let mut all = self.issuing.write().unwrap_or_else(PoisonError::into_inner);
        if all.epoch != epoch {
            return issuing;
        }
        all.by_tenant.entry(tenant).or_insert(issuing).clone()
    }

    /// The CA that has a record of this id, where this server has asked already.
    pub(crate) fn known(&self, id: CaId) -> Option<Arc<KnownCa>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).cloned()
    }

    /// Remembers CAs under the ids of all their records.
    pub(crate) fn learn(&self, cas: impl Iterator<Item = Arc<KnownCa>>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for ca in cas {
            for id in &ca.members {
                known.entry(*id).or_insert_with(|| ca.clone());
            }
        }
    }

    /// Asks anew for the CAs of these tenants.
    pub(crate) fn forget(&self, tenants: &[TenantId]) {
        if tenants.is_empty() {
            return;
        }
        let gone: HashSet<_> = tenants.iter().copied().collect();
        let mut issuing = self.issuing.write().unwrap_or_else(PoisonError::into_inner);
        issuing.epoch += 1;
        issuing.by_tenant.retain(|tenant, _| !gone.contains(tenant));
        drop(issuing);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, ca| ca.tenant.is_none_or(|tenant| !gone.contains(&tenant)));
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
}

/// Makes a tenant's issuing CA under `root`, which issues at once.
pub(crate) fn make_issuing(
    root: &Authority,
    keys: &CaKeys,
    tenant: &Tenant,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<CaRecord, Error> {
    let made = keys.make(CA_KEY, rng)?;
    let (serial, key) = (Serial::new(clock, rng), made.signer.public_key());
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
    let certificate = read(record)?;
    let Some(signer) = keys.open(&record.key, &certificate)? else {
        return Ok(None);
    };
    Ok(Some(Authority::new(certificate, signer)?))
}
