//! A device waits until there is something to poll for.

use std::collections::BTreeMap;
use std::time::Duration;

use enlist_core::StateKind;
use enlist_store::Tx;

use crate::configuration::desired;
use crate::presented::{Errand, Presented, client_certificate, presented};
use crate::{Error, Ops, Source};

/// How far back another server's orders are looked for: what takes longer to be recorded, or comes from
/// a clock further off, waits for the next poll.
const LOOK_BACK: Duration = Duration::from_secs(120);
/// What is looked at in one look.
const A_LOOK: usize = 10_000;

impl Ops {
    /// Waits until there is something for the holder of a client certificate to poll for, `longest` at
    /// most. Says whether there is.
    ///
    /// # Errors
    /// When the certificate is not one of ours or no longer good, or too many devices wait.
    pub async fn wait(
        &self,
        certificate: Option<Vec<u8>>,
        longest: Duration,
        source: Source,
    ) -> Result<bool, Error> {
        let certificate = client_certificate(certificate)?;
        let look = certificate.clone();
        let now = self.now();
        let found = self
            .inner
            .store
            .read("wait", move |tx| presented(tx, &look, Errand::Asking, now))
            .await;
        let ground = self.heard(found, source)?;
        let of = (ground.tenant.id, ground.device.group);
        // The place first, and then the look: what is ordered in between rings.
        let Some(mut place) = self.inner.doorbell.wait(of, ground.device.id)? else {
            return Ok(false);
        };
        let there_is = self
            .inner
            .store
            .read("wait_look", move |tx| {
                let ground = presented(tx, &certificate, Errand::Asking, now)?;
                Ok(has_something(tx, &ground)?)
            })
            .await;
        if self.heard(there_is, source)? {
            return Ok(true);
        }
        Ok(tokio::time::timeout(longest, place.rung())
            .await
            .unwrap_or(false))
    }

    /// Rings for those who wait at this server for what another server has recorded. Run every few
    /// seconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ring_for_others(&self) -> Result<(), Error> {
        if self.inner.doorbell.is_idle() {
            return Ok(());
        }
        let since = self.now() - LOOK_BACK;
        let (ordered, configured) = self
            .inner
            .store
            .read("ring_for_others", move |tx| {
                let ordered = tx.devices_with_orders_since(since, A_LOOK)?;
                let mut groups = BTreeMap::<_, Vec<_>>::new();
                for (tenant, group, target) in tx.configurations_since(since, A_LOOK)? {
                    groups.entry((tenant, group)).or_default().push(target);
                }
                let mut counted = Vec::new();
                for ((tenant, group), targets) in groups {
                    let count = tx.count_configurations(tenant, group)?;
                    counted.push(((tenant, group), count, targets));
                }
                Ok::<_, Error>((ordered, counted))
            })
            .await?;
        for device in ordered {
            self.inner.doorbell.ring(device);
        }
        for ((tenant, group), count, targets) in configured {
            if self.inner.doorbell.is_new(tenant, group, count) {
                self.inner.doorbell.ring_about(tenant, group, &targets);
            }
        }
        Ok(())
    }

    /// Answers all who wait, and lets nobody wait any more: the server is about to stop.
    pub fn end_waits(&self) {
        self.inner.doorbell.close();
    }
}

/// Whether there is anything that the device was not handed yet.
fn has_something(tx: &mut Tx<'_>, ground: &Presented) -> Result<bool, Error> {
    let (tenant, device) = (ground.tenant.id, ground.device.id);
    if tx.has_unfetched_command(tenant, device)? {
        return Ok(true);
    }
    if ground.device.state().kind() == StateKind::Decommissioning {
        return Ok(false);
    }
    let desired = desired(tx, tenant, ground.group.id, device)?;
    let offered = tx.device_report(tenant, device)?.map(|one| one.offered);
    let desired = desired.map(|one| one.numbers).unwrap_or_default();
    Ok(desired != offered.unwrap_or_default())
}
