//! How many devices groups have, about: for passing newcomers on to the one with the fewest.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enlist_core::{Allocation, Arrival, Group, GroupId, Name, Timestamp};

use crate::{Error, Ops};

/// How long counts are good. Meanwhile this server adds those that it sends on itself; what other servers
/// do, and who leaves, it sees then.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// Groups whose counts are kept.
const MOST: usize = 256;

/// The counts of the groups that devices are passed on to, by the group that does it.
#[derive(Default)]
pub(crate) struct Filled {
    counts: Mutex<HashMap<GroupId, Counts>>,
}

struct Counts {
    groups: Vec<Name>,
    devices: Vec<u64>,
    at: Timestamp,
}

impl Filled {
    fn lock(&self) -> MutexGuard<'_, HashMap<GroupId, Counts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses by the counts, and counts the one that is chosen for. `None` where they have to be counted
    /// anew.
    fn choose(
        &self,
        group: GroupId,
        groups: &[Name],
        now: Timestamp,
        choose: impl FnOnce(&[u64]) -> Option<Name>,
    ) -> Option<Option<Name>> {
        let mut kept = self.lock();
        let counts = kept.get_mut(&group)?;
        if counts.groups != groups || now.since(counts.at) >= GOOD_FOR {
            return None;
        }
        let chosen = choose(&counts.devices);
        let at = counts
            .groups
            .iter()
            .position(|name| chosen.as_ref() == Some(name));
        if let Some(count) = at.and_then(|at| counts.devices.get_mut(at)) {
            *count += 1;
        }
        Some(chosen)
    }

    fn keep(&self, group: GroupId, counts: Counts) {
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(group, counts);
    }
}

impl Ops {
    /// Where a newcomer to `entry` goes.
    pub(super) async fn allocated(
        &self,
        entry: &Group,
        allocation: &Allocation,
        arrival: Arrival<'_>,
    ) -> Result<Option<Name>, Error> {
        let Allocation::LeastFilled { groups } = allocation else {
            return Ok(allocation.choose(arrival));
        };
        let choose = |filled: &[u64]| allocation.choose(Arrival { filled, ..arrival });
        let kept = &self.inner.filled;
        if let Some(chosen) = kept.choose(entry.id, groups, self.now(), choose) {
            return Ok(chosen);
        }
        let (tenant, to_count) = (entry.tenant, groups.clone());
        let devices = self
            .inner
            .store
            .read("count_landings", move |tx| {
                let mut devices = Vec::with_capacity(to_count.len());
                for name in &to_count {
                    let group = tx.group_by_name(tenant, name)?;
                    devices.push(match group {
                        Some(group) => tx.count_devices(tenant, group.id, u32::MAX.into())?,
                        None => u64::MAX,
                    });
                }
                Ok::<_, Error>(devices)
            })
            .await?;
        let counts = Counts {
            groups: groups.clone(),
            devices,
            at: self.now(),
        };
        kept.keep(entry.id, counts);
        let chosen = kept.choose(entry.id, groups, self.now(), choose);
        Ok(chosen.unwrap_or_else(|| choose(&[])))
    }
}
