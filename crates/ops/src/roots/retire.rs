//! The old root goes, and everything comes to stand under the next.

use enlist_core::{
    Actor, CaKind, CaRecord, CaStanding, Digest, Event, Operator, RootRecord, Tenant, Timestamp,
};
use enlist_store::Tx;

use super::rollover::LATELY;
use super::{RootView, standing};
use crate::authorities::{authority, read};
use crate::cas::{KnownCa, is_needed};
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
    tenants: Vec<Tenant>,
    /// The issuing CAs that anybody may still meet a certificate of, but for those that a root from
    /// outside has signed: those stand under their own.
    issuing: Vec<CaRecord>,
}

/// How many devices were seen lately, and how many of them hold the next root.
#[derive(Clone, Copy, Default)]
struct Share {
    seen: u64,
    ready: u64,
}

impl Ops {
    /// Retires the current root: the next one takes its place, and the service CA and the issuing CAs of
    /// every tenant get certificates under it, over the keys and names they have: the one that issues,
    /// the one that is to follow, and those that are retired and still needed. What a root from outside
    /// has signed is left alone. Devices that do not hold the next root can't reach the server after
    /// that.
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
            let now = self.now();
            let before = self
                .inner
                .store
                .read("retire_root_look", move |tx| Standing::read(tx, now))
                .await?;
            let successors = self.under_the_next(&before)?;
            let by = Actor::Operator(who.token);
            let recorded = self
                .inner
                .store
                .write("retire_root", move |tx| {
                    // First, so that nobody makes a tenant under it meanwhile.
                    tx.current_root()?;
                    let still = Standing::read(tx, now)?;
                    if !still.is(&before) {
                        return Ok(None);
                    }
                    let (old, new) = (&before.current.ca, &before.next);
                    if !tx.change_roots(old.id, new.ca.id, now)? {
                        return Err(Error::NoNextRoot);
                    }
                    for (before, ca) in &successors {
                        put(tx, before, ca)?;
                    }
                    let fingerprint = |ca: &CaRecord| read(ca).map(|ca| ca.fingerprint_hex());
                    let (was, is) = (fingerprint(old)?, fingerprint(&new.ca)?);
                    for tenant in &before.tenants {
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

    /// New certificates, under the next root, for every CA that stands under the current one, each with
    /// the record before it. Nothing is recorded.
    fn under_the_next(&self, before: &Standing) -> Result<Vec<(CaRecord, CaRecord)>, Error> {
        let root =
            authority(self.inner.authorities.keys(), &before.next.ca)?.ok_or(Error::RootOffline)?;
        let service = self.again(&root, &before.service, None)?;
        let mut made = vec![(before.service.clone(), service)];
        for ca in &before.issuing {
            let tenant = before.tenants.iter().find(|one| Some(one.id) == ca.tenant);
            let tenant = tenant.ok_or(Error::Inconsistent("an issuing CA without its tenant"))?;
            made.push((ca.clone(), self.again(&root, ca, Some(tenant))?));
        }
        Ok(made)
    }
}

/// Records another certificate of a CA: beside the one before, but for one that has issued nothing yet,
/// of which there is one a tenant.
fn put(tx: &mut Tx<'_>, before: &CaRecord, ca: &CaRecord) -> Result<(), Error> {
    if ca.standing != CaStanding::Next {
        tx.insert_ca(ca)?;
        return Ok(());
    }
    match tx.replace_next_issuing(before.id, &ca.certificate)? {
        true => Ok(()),
        // Somebody has let it take over in this very moment.
        false => Err(Error::Busy { retry_after_s: 1 }),
    }
}

impl Share {
    fn reaches(self, threshold: u8) -> bool {
        u128::from(self.ready) * 100 >= u128::from(self.seen) * u128::from(threshold)
    }
}

impl Standing {
    fn read(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, Error> {
        let roots = tx.offered_roots()?;
        let (tenants, mut issuing) = (tx.tenants()?, Vec::new());
        for tenant in &tenants {
            for ca in KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)? {
                if ca.is_under_our_root() && is_needed(tx, &ca, now)? {
                    issuing.push(ca.record);
                }
            }
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
            issuing,
        })
    }

    /// Whether `other` is about the very same CAs.
    fn is(&self, other: &Self) -> bool {
        let of = |one: &Self| -> Vec<_> {
            let all = [&one.current.ca, &one.next.ca, &one.service];
            let issuing = one.issuing.iter();
            let all = all.into_iter().chain(issuing);
            all.map(|ca| (ca.id, ca.standing)).collect()
        };
        of(self) == of(other)
            && self
                .tenants
                .iter()
                .map(|one| one.id)
                .eq(other.tenants.iter().map(|one| one.id))
    }
}
