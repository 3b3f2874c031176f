//! Counting, in slices.

use std::time::{Duration, Instant};

use enlist_core::{DeviceId, SecretId, StateKind, TenantId, Timestamp};
use enlist_store::DevicesAlike;
use tokio::time::sleep;

use super::kept::{Counted, Kept, claim};
use crate::{Error, Ops};

/// Rows that one job goes through.
const A_SLICE: usize = 20_000;
/// A pause is so many times as long as the job before it: counting takes a fifth of a reader's time.
const PAUSE: u32 = 4;
const DAY: Duration = Duration::from_secs(86_400);
const FIRST: [u8; 16] = [0; 16];
const LAST: [u8; 16] = [0xff; 16];

impl Ops {
    /// Counts devices and secrets and keeps what that came to, unless another server is at it.
    pub(super) async fn count_and_keep(&self) -> Result<(), Error> {
        let (now, store) = (self.now(), &self.inner.store);
        if !store
            .write("claim_census", move |tx| claim(tx, now))
            .await?
        {
            return Ok(());
        }
        let started = Instant::now();
        let mut kept = Kept {
            counted_at: Some(now),
            ..Kept::default()
        };
        self.count_devices(&mut kept, now).await?;
        self.count_secrets(&mut kept, now).await?;
        kept.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        store.write("keep_census", move |tx| kept.save(tx)).await
    }

    async fn count_devices(&self, kept: &mut Kept, now: Timestamp) -> Result<(), Error> {
        let bounds = [now, now + DAY, now + DAY * 7, now + DAY * 30];
        let mut after = Some(DeviceId::from_bytes(FIRST));
        while let Some(from) = after {
            let started = Instant::now();
            let (alike, end) = self
                .inner
                .store
                .read("count_devices", move |tx| {
                    let end = tx.slice_of_devices(from, A_SLICE)?;
                    let until = end.unwrap_or(DeviceId::from_bytes(LAST));
                    Ok::<_, Error>((tx.count_devices_alike((from, until), bounds)?, end))
                })
                .await?;
            for some in &alike {
                add(
                    kept.tenants.entry(some.tenant.to_string()).or_default(),
                    some,
                );
            }
            after = end;
            if after.is_some() {
                sleep(started.elapsed() * PAUSE).await;
            }
        }
        Ok(())
    }

    async fn count_secrets(&self, kept: &mut Kept, now: Timestamp) -> Result<(), Error> {
        let store = &self.inner.store;
        let tenants = store
            .read("list_tenants", |tx| Ok::<_, Error>(tx.tenants()?))
            .await?;
        for tenant in tenants {
            let counted = kept.tenants.entry(tenant.id.to_string()).or_default();
            self.count_secrets_of(tenant.id, counted, now).await?;
        }
        Ok(())
    }

    async fn count_secrets_of(
        &self,
        tenant: TenantId,
        counted: &mut Counted,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut after = Some(SecretId::from_bytes(FIRST));
        while let Some(from) = after {
            let started = Instant::now();
            let (worn, end) = self
                .inner
                .store
                .read("count_secrets", move |tx| {
                    let end = tx.slice_of_secrets(tenant, from, A_SLICE)?;
                    let until = end.unwrap_or(SecretId::from_bytes(LAST));
                    let slice = (from, until);
                    let worn = tx.count_secrets_worn(tenant, slice, (now, now + DAY * 7))?;
                    Ok::<_, Error>((worn, end))
                })
                .await?;
            counted.secrets_nearly_used_up += worn.nearly_used_up;
            counted.secrets_used_up += worn.used_up;
            counted.secrets_ending += worn.ending;
            after = end;
            if after.is_some() {
                sleep(started.elapsed() * PAUSE).await;
            }
        }
        Ok(())
    }
}

fn add(counted: &mut Counted, some: &DevicesAlike) {
    let states = counted.devices.iter_mut().zip(StateKind::ALL);
    for (devices, _) in states.filter(|(_, state)| *state == some.state) {
        *devices += some.devices;
    }
    if some.state != StateKind::Active {
        return;
    }
    let ends = some
        .ends_before
        .and_then(|ends| counted.certificates.get_mut(ends));
    if let Some(certificates) = ends {
        *certificates += some.devices;
        counted.late += some.late;
    }
}
