//! The CAs that the world asks about, by their ids and by the hashes that OCSP names them by.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use enlist_core::{CaId, CaKind};
use enlist_pki::IssuerHash;

use super::looks::Looks;
use crate::cas::KnownCa;
use crate::{Error, Ops};

/// The CAs as this server last saw them.
#[derive(Default)]
pub(super) struct Issuers {
    known: RwLock<Arc<KnownIssuers>>,
    looks: Looks,
}

#[derive(Default)]
pub(super) struct KnownIssuers {
    by_id: HashMap<CaId, Arc<KnownCa>>,
    by_hash: HashMap<IssuerHash, Arc<KnownCa>>,
}

impl KnownIssuers {
    /// Those that are as they were `before` are the same still, with their keys, which were opened once.
    fn of(all: Vec<Arc<KnownCa>>, before: &Self) -> Self {
        let mut known = Self::default();
        for ca in all {
            let ca = match before.by_id(ca.id) {
                Some(same) if same.members == ca.members && same.record == ca.record => {
                    same.clone()
                }
                _ => ca,
            };
            for id in &ca.members {
                known.by_id.insert(*id, ca.clone());
            }
            // The others sign no certificates that are on record.
            if ca.kind == CaKind::Issuing
                && let Ok(key) = ca.certificate.public_key()
            {
                for hash in IssuerHash::all(&ca.certificate.subject(), &key) {
                    known.by_hash.insert(hash, ca.clone());
                }
            }
        }
        known
    }

    /// The id that a CA's entries are kept under, whichever of its records is meant.
    pub(super) fn canonical(&self, id: CaId) -> CaId {
        self.by_id.get(&id).map_or(id, |ca| ca.id)
    }

    pub(super) fn by_id(&self, id: CaId) -> Option<&Arc<KnownCa>> {
        self.by_id.get(&id)
    }

    pub(super) fn by_hash(&self, hash: &IssuerHash) -> Option<&Arc<KnownCa>> {
        self.by_hash.get(hash)
    }
}

impl Issuers {
    /// The CAs as this server last saw them.
    pub(super) fn known(&self) -> Arc<KnownIssuers> {
        let known = self.known.read();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the roots, and whichever of their keys were opened.
    pub(super) fn forget_roots(&self) {
        let known = self.known.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let others = known.by_id.iter().filter(|(_, ca)| ca.kind != CaKind::Root);
        *known = Arc::new(KnownIssuers {
            by_id: others.map(|(id, ca)| (*id, ca.clone())).collect(),
            by_hash: known.by_hash.clone(),
        });
    }
}

impl Ops {
    /// Learns of all CAs there are.
    pub(super) async fn learn_issuers(&self) -> Result<Arc<KnownIssuers>, Error> {
        let all = self.ca_list().await?;
        let issuers = &self.inner.revocation.issuers;
        let known = issuers.known.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(KnownIssuers::of(all, &known));
        Ok(known.clone())
    }

    /// The CAs; looked for again where `found` says that something is missing. A stranger who asks for
    /// what is not there waits, and does not make the store work each time.
    ///
    /// # Errors
    /// When nobody knows at this moment.
    pub(super) async fn issuers_with(
        &self,
        found: impl Fn(&KnownIssuers) -> bool,
    ) -> Result<Arc<KnownIssuers>, Error> {
        let issuers = &self.inner.revocation.issuers;
        let known = issuers.known();
        if found(&known) {
            return Ok(known);
        }
        let found = || found(&issuers.known());
        let look = async || self.learn_issuers().await.map(drop);
        issuers.looks.until(found, look).await?;
        Ok(issuers.known())
    }
}
