//! What there is, counted: for whoever watches over an installation.
//!
//! Most of it is looked up when it is asked for, and kept for a moment. Devices and secrets may be many:
//! they are counted in slices, with pauses between, by one server at a time, and what was counted is kept
//! on record, so that all servers tell the same.

mod count;
mod kept;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_core::{CaId, CaKind, Name, StateKind, TenantId, Timestamp, explain};
use enlist_pki::Certificate;
use enlist_store::{SecretsWorn, Tx};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::audit::time_of;
use crate::{Error, Ops};
use kept::Kept;

/// For so long what was looked up is told again.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// So long the very first count is waited for: that of a small installation is done by then.
const A_MOMENT: Duration = Duration::from_secs(2);
/// Events and dead letters of a webhook that are counted at most.
const MOST_COUNTED: usize = 20_000;

/// By when certificates end: by now, within a day, a week, thirty days, or later.
pub const ENDS: [&str; 5] = ["expired", "1d", "7d", "30d", "later"];

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// When devices and secrets were counted; `None` before the first time.
    pub counted_at: Option<Timestamp>,
    /// Of each tenant, in the order of their making.
    pub tenants: Vec<TenantCensus>,
    /// The CAs that issue or are about to.
    pub cas: Vec<CaEnd>,
    /// How long the oldest event that has no place in its tenant's chain has waited for one.
    pub sealing_lag: Duration,
}

/// What there is of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCensus {
    /// The tenant.
    pub tenant: Name,
    /// Its devices by state, in the order of [`StateKind::ALL`].
    pub devices: [u64; StateKind::ALL.len()],
    /// The current certificates of its active devices by their end, as in [`ENDS`].
    pub certificates: [u64; ENDS.len()],
    /// Those of them with less than a sixth of their group's lifetime left, the expired ones included: a
    /// device renews when a third is left.
    pub late: u64,
    /// Its secrets that somebody should look after.
    pub secrets: SecretsWorn,
    /// Events that its webhooks have not been told.
    pub webhooks_behind: u64,
    /// Events that were given up.
    pub dead_letters: u64,
    /// Its webhooks to which nothing could be told the last time.
    pub webhooks_failing: u64,
}

/// Until when a CA is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaEnd {
    /// What it issues.
    pub kind: CaKind,
    /// Its tenant, where it is one's.
    pub tenant: Option<Name>,
    /// The CA.
    pub id: CaId,
    /// When its certificate ends.
    pub not_after: Timestamp,
}

/// What this server knows of it.
#[derive(Default)]
pub(crate) struct Counting {
    /// Held by the one who looks; the others wait for what that finds.
    last: Mutex<Option<(Instant, Arc<Census>)>>,
    /// A count under way here.
    under_way: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Ops {
    /// What there is, as of some seconds ago. What was counted last is told while it is counted anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn census(&self) -> Result<Arc<Census>, Error> {
        let mut last = self.inner.counting.last.lock().await;
        if let Some((at, census)) = &*last
            && at.elapsed() < KEPT_FOR
        {
            return Ok(census.clone());
        }
        let (mut census, is_due) = self.take_census().await?;
        if is_due && let Some(count) = self.begin_to_count() {
            let is_first = census.counted_at.is_none();
            if is_first && tokio::time::timeout(A_MOMENT, count).await.is_ok() {
                (census, _) = self.take_census().await?;
            }
        }
        let census = Arc::new(census);
        *last = Some((Instant::now(), census.clone()));
        Ok(census)
    }

    /// What can be looked up at once, with what was counted last; and whether it is time to count anew.
    async fn take_census(&self) -> Result<(Census, bool), Error> {
        let now = self.now();
        self.inner
            .store
            .read("census", move |tx| {
                let kept = Kept::load(tx)?;
                let is_due = kept.as_ref().is_none_or(|kept| kept.is_old(now));
                Ok((take(tx, &kept.unwrap_or_default(), now)?, is_due))
            })
            .await
    }

    /// Starts to count in the background, unless this server does already. The end of it can be waited for.
    fn begin_to_count(&self) -> Option<impl Future<Output = ()> + use<>> {
        let under_way = self.inner.counting.under_way.lock();
        let mut under_way = under_way.unwrap_or_else(std::sync::PoisonError::into_inner);
        if under_way.as_ref().is_some_and(|count| !count.is_finished()) {
            return None;
        }
        let (done, is_done) = tokio::sync::oneshot::channel::<()>();
        let ops = self.clone();
        *under_way = Some(tokio::spawn(async move {
            if let Err(error) = ops.count_and_keep().await {
                warn!(error = %explain(&error), "devices could not be counted");
            }
            drop(done);
        }));
        Some(async move {
            // It ends by being dropped.
            let _ = is_done.await;
        })
    }
}

fn take(tx: &mut Tx<'_>, kept: &Kept, now: Timestamp) -> Result<Census, Error> {
    let mut census = Census {
        counted_at: kept.counted_at,
        ..Census::default()
    };
    let mut places = HashMap::new();
    let mut tenants = tx.tenants()?;
    tenants.sort_by_key(|tenant| (tenant.created_at, tenant.id));
    for tenant in tenants {
        places.insert(tenant.id, census.tenants.len());
        let counted = kept.tenants.get(&tenant.id.to_string());
        let counted = counted.cloned().unwrap_or_default();
        census.tenants.push(TenantCensus {
            tenant: tenant.name,
            devices: counted.devices,
            certificates: counted.certificates,
            late: counted.late,
            secrets: counted.secrets(),
            webhooks_behind: 0,
            dead_letters: 0,
            webhooks_failing: 0,
        });
    }
    look_at_webhooks(tx, &places, &mut census.tenants)?;
    for ca in tx.cas_in_use()? {
        // One that can't be read is told of by whoever needs it.
        let Ok(certificate) = Certificate::from_der(&ca.certificate) else {
            continue;
        };
        let tenant = ca.tenant.and_then(|id| places.get(&id));
        census.cas.push(CaEnd {
            kind: ca.kind,
            tenant: tenant.map(|place| census.tenants[*place].tenant.clone()),
            id: ca.id,
            not_after: Timestamp::from_secs(certificate.not_after()),
        });
    }
    let oldest = tx.first_unsealed()?.into_iter().map(time_of).min();
    census.sealing_lag = oldest.map_or(Duration::ZERO, |at| now.since(at));
    Ok(census)
}

fn look_at_webhooks(
    tx: &mut Tx<'_>,
    places: &HashMap<TenantId, usize>,
    tenants: &mut [TenantCensus],
) -> Result<(), Error> {
    let mut newest = HashMap::new();
    for webhook in tx.all_webhooks()? {
        let Some(place) = places.get(&webhook.tenant) else {
            continue;
        };
        let last = match newest.get(&webhook.tenant) {
            Some(last) => *last,
            None => {
                let last = tx.last_seal(webhook.tenant)?.map_or(0, |seal| seal.seq);
                newest.insert(webhook.tenant, last);
                last
            }
        };
        let waiting = tx.count_put_off(webhook.tenant, webhook.id, MOST_COUNTED)?;
        let tenant = &mut tenants[*place];
        tenant.webhooks_behind += last.saturating_sub(webhook.told) + waiting;
        tenant.dead_letters += tx.count_dead_letters(webhook.tenant, webhook.id, MOST_COUNTED)?;
        tenant.webhooks_failing += u64::from(webhook.pace.failures > 0);
    }
    Ok(())
}
