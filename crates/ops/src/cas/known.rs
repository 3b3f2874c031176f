//! A CA with all the certificates it has had.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use enlist_ca::Authority;
use enlist_core::{CaId, CaKey, CaKind, CaRecord, CaStanding, TenantId, Timestamp};
use enlist_pki::{Certificate, chain_from_der};

use crate::authorities::{authority, read};
use crate::{Error, Ops};

/// A CA: a name and a key. It is on record once for each certificate over them, since it gets another one
/// when the root changes, or when its own runs out.
pub(crate) struct KnownCa {
    /// Of its first record: the one that URLs and new certificates name.
    pub(crate) id: CaId,
    /// All its records, newest first; `id` is among them.
    pub(crate) members: Vec<CaId>,
    pub(crate) kind: CaKind,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) standing: CaStanding,
    /// The newest.
    pub(crate) certificate: Certificate,
    /// The same, PEM.
    pub(crate) pem: Arc<str>,
    /// What stands above it, up to the outermost, where a root from outside has signed it.
    pub(crate) chain: Vec<Certificate>,
    /// The record of its newest certificate.
    pub(crate) record: CaRecord,
    /// When its first certificate was made.
    pub(crate) made_at: Timestamp,
    opened: OnceLock<Authority>,
}

impl KnownCa {
    /// The CAs of these records, which come newest first; each CA stands where its newest record does.
    pub(crate) fn all(records: Vec<CaRecord>) -> Result<Vec<Self>, Error> {
        let mut all: Vec<Self> = Vec::new();
        let mut places = HashMap::new();
        for record in records {
            let certificate = read(&record)?;
            let over = (
                certificate.subject_der().to_vec(),
                certificate.spki_der().to_vec(),
            );
            let place = *places.entry(over).or_insert(all.len());
            match all.get_mut(place) {
                Some(ca) => {
                    ca.id = record.id;
                    ca.members.push(record.id);
                    ca.made_at = record.created_at;
                }
                None => all.push(Self::of(record, certificate)?),
            }
        }
        Ok(all)
    }

    fn of(record: CaRecord, certificate: Certificate) -> Result<Self, Error> {
        Ok(Self {
            id: record.id,
            members: vec![record.id],
            kind: record.kind,
            tenant: record.tenant,
            standing: record.standing,
            pem: certificate.to_pem().into(),
            certificate,
            chain: chain_from_der(&record.chain)
                .map_err(|_| Error::Inconsistent("what stands above a CA does not read"))?,
            made_at: record.created_at,
            record,
            opened: OnceLock::new(),
        })
    }

    /// Whether `certificate` is over its name and key.
    pub(crate) fn is_over(&self, certificate: &Certificate) -> bool {
        self.certificate.spki_der() == certificate.spki_der()
            && self.certificate.subject_der() == certificate.subject_der()
    }

    /// Whether it stands under the installation's own root.
    pub(crate) fn is_under_our_root(&self) -> bool {
        self.kind != CaKind::Root && self.chain.is_empty()
    }

    /// Whether its key is out of reach for good.
    pub(crate) fn is_offline(&self) -> bool {
        self.record.key == CaKey::Offline
    }
}

impl Ops {
    /// The CA that one of these records is of.
    pub(crate) async fn ca(&self, id: CaId) -> Result<Option<Arc<KnownCa>>, Error> {
        let hierarchy = self.inner.authorities.hierarchy();
        if let Some(known) = hierarchy.known(id) {
            return Ok(Some(known));
        }
        let records = self
            .inner
            .store
            .read("ca", move |tx| {
                Ok::<_, Error>(match tx.ca(id)? {
                    Some(ca) => tx.cas(ca.kind, ca.tenant)?,
                    None => Vec::new(),
                })
            })
            .await?;
        let all = KnownCa::all(records)?.into_iter().map(Arc::new);
        hierarchy.learn(all);
        Ok(hierarchy.known(id))
    }

    /// Every CA there is, without opening its key.
    pub(crate) async fn ca_list(&self) -> Result<Vec<Arc<KnownCa>>, Error> {
        let records = self
            .inner
            .store
            .read("ca_list", |tx| Ok::<_, Error>(tx.all_cas()?))
            .await?;
        let all = KnownCa::all(records)?;
        Ok(all.into_iter().map(Arc::new).collect())
    }

    /// A CA's certificate and key, to sign with; opened once. `None` where the key is offline.
    pub(crate) fn authority_of(&self, ca: &KnownCa) -> Result<Option<Authority>, Error> {
        if let Some(opened) = ca.opened.get() {
            return Ok(Some(opened.clone()));
        }
        let opened = authority(self.inner.authorities.keys(), &ca.record)?;
        Ok(opened.map(|opened| ca.opened.get_or_init(|| opened).clone()))
    }
}
