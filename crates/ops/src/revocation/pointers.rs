//! What certificates say of where to ask about them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use enlist_ca::Pointers;
use enlist_core::{CaId, TenantId};

use super::Revocation;
use super::looks::Looks;
use crate::{Error, Ops};

/// A list of this many certificates can be loaded whole: beyond it lists come in parts.
const A_LIST: u64 = 65_536;
/// Parts at most.
const MOST: u64 = 4096;

/// In how many parts the lists of each tenant come.
#[derive(Default)]
pub(super) struct Partitions {
    now: RwLock<HashMap<TenantId, u16>>,
    /// In how many they ever came, as recorded before any certificate says so.
    most: RwLock<HashMap<TenantId, u16>>,
    looks: Looks,
}

impl Partitions {
    fn of(&self, tenant: TenantId) -> u16 {
        let counts = self.now.read().unwrap_or_else(PoisonError::into_inner);
        counts.get(&tenant).copied().unwrap_or(1)
    }

    fn had(&self, tenant: TenantId) -> u16 {
        let most = self.most.read().unwrap_or_else(PoisonError::into_inner);
        most.get(&tenant).copied().unwrap_or(1)
    }

    fn learn(&self, recorded: Vec<(TenantId, u16)>) {
        let mut most = self.most.write().unwrap_or_else(PoisonError::into_inner);
        most.extend(recorded);
    }

    /// Takes over new numbers. Returns the tenants that have others than before.
    fn replace(&self, new: HashMap<TenantId, u16>) -> Vec<TenantId> {
        let mut counts = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let others = counts.keys().chain(new.keys()).filter(|tenant| {
            counts.get(tenant).copied().unwrap_or(1) != new.get(tenant).copied().unwrap_or(1)
        });
        let mut changed: Vec<_> = others.copied().collect();
        changed.sort_unstable();
        changed.dedup();
        *counts = new;
        changed
    }
}

impl Revocation {
    /// What the certificates of a tenant's CA are to point to.
    pub(crate) fn pointers(&self, ca: CaId, tenant: Option<TenantId>) -> Pointers {
        let partitions = tenant.map_or(1, |tenant| self.partitions.of(tenant));
        match &self.config.url {
            Some(url) => Pointers::at(url, ca, partitions),
            None => Pointers::default(),
        }
    }
}

impl Ops {
    /// Decides anew in how many parts the lists of each tenant come. Certificates that were issued before
    /// point where they pointed, and the parts of any number there ever was are to be had.
    pub(super) async fn count_partitions(&self) -> Result<(), Error> {
        let counts = self
            .inner
            .store
            .read("credential_counts", |tx| {
                Ok::<_, Error>(tx.credential_counts()?)
            })
            .await?;
        let counts = counts.into_iter();
        let counts: HashMap<_, _> = counts
            .map(|(tenant, count)| (tenant, partitions_for(count)))
            .collect();
        self.learn_parts().await?;
        let partitions = &self.inner.revocation.partitions;
        let more = counts.iter().map(|(tenant, parts)| (*tenant, *parts));
        let more: Vec<_> = more
            .filter(|(tenant, parts)| *parts > partitions.had(*tenant))
            .collect();
        if !more.is_empty() {
            // Recorded, then pointed to: every server has to know that there are so many.
            let raised = more.clone();
            self.inner
                .store
                .write("raise_crl_parts", move |tx| {
                    for (tenant, parts) in &raised {
                        tx.raise_crl_parts(*tenant, *parts)?;
                    }
                    Ok::<_, Error>(())
                })
                .await?;
            partitions.learn(more);
        }
        let changed = partitions.replace(counts);
        // They are opened anew, with what they are to point to from now on.
        self.inner.authorities.hierarchy().forget(&changed);
        Ok(())
    }

    /// Whether the lists of a tenant's CAs come, or ever came, in this many parts: whoever asks for
    /// others is not to have them signed.
    pub(super) async fn has_parts(
        &self,
        tenant: Option<TenantId>,
        parts: u16,
    ) -> Result<bool, Error> {
        let Some(tenant) = tenant else {
            return Ok(false);
        };
        let partitions = &self.inner.revocation.partitions;
        let found = || partitions.had(tenant) >= parts;
        if !found() {
            let look = || self.learn_parts();
            partitions.looks.until(found, look).await?;
        }
        Ok(found())
    }

    async fn learn_parts(&self) -> Result<(), Error> {
        let recorded = self
            .inner
            .store
            .read("crl_parts", |tx| Ok::<_, Error>(tx.crl_parts()?))
            .await?;
        self.inner.revocation.partitions.learn(recorded);
        Ok(())
    }
}

fn partitions_for(credentials: u64) -> u16 {
    let needed = credentials.div_ceil(A_LIST).clamp(1, MOST);
    u16::try_from(needed.next_power_of_two()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_of_ten_million_has_lists_that_can_be_loaded() {
        assert_eq!(partitions_for(0), 1);
        assert_eq!(partitions_for(A_LIST), 1);
        assert_eq!(partitions_for(A_LIST + 1), 2);
        assert_eq!(partitions_for(10_000_000), 256);
        assert_eq!(partitions_for(u64::MAX), 4096);
    }

    #[test]
    fn a_tenant_that_has_grown_is_told_apart() {
        let (one, two) = (TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
        let partitions = Partitions::default();
        let first = partitions.replace(HashMap::from([(one, 1), (two, 4)]));
        assert_eq!(first, [two]);
        assert_eq!(partitions.replace(HashMap::from([(one, 2)])), [one, two]);
        assert_eq!((partitions.of(one), partitions.of(two)), (2, 1));
    }
}
