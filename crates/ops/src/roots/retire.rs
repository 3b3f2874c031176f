//! The old root goes, and everything comes to stand under the next.

use enlist_ca::{Authority, make_issuing_ca, make_service_ca};
use enlist_core::{
    Actor, CaId, CaKind, CaRecord, CaStanding, Digest, Event, Operator, RootRecord, Serial, Tenant,
};
use enlist_store::Tx;

use super::rollover::LATELY;
use super::{RootView, after, standing};
use crate::authorities::{authority, read};
use crate::{Error, Ops, scope};

/// How to retire the current root.
#[derive(Debug, Clone, Copy)]
pub struct RetireRoot {
    /// Of the active devices that were seen in the last 30 days, so many in a hundred have to hold the
    /// next root: 0 to 100.
    pub threshold: u8,
    /// Whether to do it all the same where fewer do.
    pub force: bool,
}

impl Default for RetireRoot {
    fn default() -> Self {
        Self {
            threshold: 100,
            force: false,
        }
    }
}

/// What stands under the current root, and what is to take its place.
#[derive(Clone)]
struct Standing {
    current: RootRecord,
    next: RootRecord,
    service: CaRecord,
    tenants: Vec<(Tenant, Option<CaRecord>)>,
}

/// How many devices were seen lately, and how many of them hold the next root.
#[derive(Clone, Copy, Default)]
struct Share {
    seen: u64,
    ready: u64,
}

impl Ops {
    /// Retires the current root: the next one takes its place, and the service CA and every tenant's
    /// issuing CA get certificates under it, over the keys and names they have. Devices that do not hold
    /// the next root can't reach the server after that.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, there is no next root, or too few devices hold it.
    pub async fn retire_root(&self, who: &Operator, retire: RetireRoot) -> Result<RootView, Error> {
        scope::installation(who)?;
        if retire.threshold > 100 {
            let why = "threshold: a percentage, 0 to 100";
            return Err(Error::InvalidRequest(why.to_owned()));
        }
        // Counted once, and not where it is recorded: a million devices take a moment, and one that
        // comes in between is where it would be had it come just after.
        let share = self.share_that_is_ready().await?;
        if !retire.force && !share.reaches(retire.threshold) {
            return Err(Error::RolloverIncomplete {
                ready: share.ready,
                seen: share.seen,
                threshold: retire.threshold,
            });
        }
        loop {
            let before = self
                .inner
                .store
                .read("retire_root_look", Standing::read)
                .await?;
            let successors = self.under_the_next(&before)?;
            let (by, now) = (Actor::Operator(who.token), self.now());
            let recorded = self
                .inner
                .store
                .write("retire_root", move |tx| {
                    // First, so that nobody makes a tenant under it meanwhile.
                    tx.current_root()?;
                    let still = Standing::read(tx)?;
                    if !still.is(&before) {
                        return Ok(None);
                    }
                    let (old, new) = (&before.current.ca, &before.next);
                    if !tx.change_roots(old.id, new.ca.id, now)? {
                        return Err(Error::NoNextRoot);
                    }
                    for ca in &successors {
                        tx.insert_ca(ca)?;
                    }
                    let fingerprint = |ca: &CaRecord| read(ca).map(|ca| ca.fingerprint_hex());
                    let (was, is) = (fingerprint(old)?, fingerprint(&new.ca)?);
                    for (tenant, _) in &before.tenants {
                        let event = Event::new("root-retired", tenant.subject(), by.clone(), now)
                            .with("root", &was)
                            .with("next", &is)
                            .with("seen", share.seen)
                            .with("ready", share.ready)
                            .with("forced", retire.force);
                        tx.append(&event)?;
                    }
                    let mut now_current = new.clone();
                    now_current.ca.standing = CaStanding::Current;
                    RootView::of(&now_current).map(Some)
                })
                .await?;
            if let Some(root) = recorded {
                self.follow_roots().await?;
                return Ok(root);
            }
        }
    }

    async fn share_that_is_ready(&self) -> Result<Share, Error> {
        let since = self.now() - LATELY;
        self.inner
            .store
            .read("rollover_share", move |tx| {
                let roots = tx.offered_roots()?;
                let next = standing(&roots, CaStanding::Next).ok_or(Error::NoNextRoot)?;
                let next = Digest::of(&next.ca.certificate);
                let mut share = Share::default();
                for tenant in tx.tenants()? {
                    for group in tx.readiness(tenant.id, &next, since)? {
                        share.seen += group.seen;
                        share.ready += group.ready;
                    }
                }
                Ok(share)
            })
            .await
    }

    /// New certificates, under the next root, for every CA that stands under the current one. Nothing is
    /// recorded.
    fn under_the_next(&self, before: &Standing) -> Result<Vec<CaRecord>, Error> {
        let root =
            authority(self.inner.authorities.keys(), &before.next.ca)?.ok_or(Error::RootOffline)?;
        let mut made = vec![self.again(&root, &before.service, None)?];
        for (tenant, ca) in &before.tenants {
            if let Some(ca) = ca {
                made.push(self.again(&root, ca, Some(tenant))?);
            }
        }
        Ok(made)
    }

    /// The same CA, with the same key, under `root`.
    fn again(
        &self,
        root: &Authority,
        ca: &CaRecord,
        tenant: Option<&Tenant>,
    ) -> Result<CaRecord, Error> {
        let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
        let before = read(ca)?;
        let key = before.public_key().map_err(Error::signing)?;
        let (serial, now) = (Serial::generate(rng), clock.now());
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
            standing: CaStanding::Current,
            certificate: certificate.der().to_vec(),
            chain: Vec::new(),
            key: ca.key.clone(),
            created_at: after(ca, now),
        })
    }
}

impl Share {
    fn reaches(self, threshold: u8) -> bool {
        u128::from(self.ready) * 100 >= u128::from(self.seen) * u128::from(threshold)
    }
}

impl Standing {
    fn read(tx: &mut Tx<'_>) -> Result<Self, Error> {
        let roots = tx.offered_roots()?;
        let mut tenants = Vec::new();
        for tenant in tx.tenants()? {
            let ca = tx.cas(CaKind::Issuing, Some(tenant.id))?.into_iter().next();
            tenants.push((tenant, ca));
        }
        let service = tx.cas(CaKind::Service, None)?.into_iter().next();
        let missing = || Error::Inconsistent("the root or the service CA is missing");
        Ok(Self {
            next: standing(&roots, CaStanding::Next)
                .ok_or(Error::NoNextRoot)?
                .clone(),
            current: standing(&roots, CaStanding::Current)
                .ok_or_else(missing)?
                .clone(),
            service: service.ok_or_else(missing)?,
            tenants,
        })
    }

    /// Whether `other` is about the very same CAs.
    fn is(&self, other: &Self) -> bool {
        self.current.ca.id == other.current.ca.id
            && self.next.ca.id == other.next.ca.id
            && self.service.id == other.service.id
            && self.tenants.len() == other.tenants.len()
            && self
                .tenants
                .iter()
                .zip(&other.tenants)
                .all(|((a, of_a), (b, of_b))| {
                    a.id == b.id && of_a.as_ref().map(|ca| ca.id) == of_b.as_ref().map(|ca| ca.id)
                })
    }
}
