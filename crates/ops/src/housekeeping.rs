//! What the server does by itself, now and then.

use std::time::Duration;

use enlist_core::Actor;
use enlist_store::Tx;

use crate::{Error, Ops, approve};

/// Applications that one job turns away at most.
const A_FEW: usize = 500;
/// Used challenges that one job forgets at most.
const A_BATCH: usize = 2_000;
/// Jobs of a kind that one run has at most; the rest waits for the next.
const BATCHES: usize = 50;
/// How long a challenge is remembered after its end: another server's clock may be behind.
const A_WHILE: Duration = Duration::from_secs(3600);

impl Ops {
    /// Turns away the applications that nobody has answered in time. Safe to run on any number
    /// of servers at once. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lapse_applications(&self) -> Result<u64, Error> {
        let now = self.now();
        self.in_batches("lapse_applications", A_FEW as u64, move |tx| {
            let lapsed = tx.lapsed_devices(now, A_FEW)?;
            for (tenant, id) in &lapsed {
                let Some(device) = tx.device(*tenant, *id)? else {
                    continue;
                };
                let event = device.clone().reject(Actor::Server, now)?;
                approve::turn_away(tx, &device, &event.with("reason", "timed out"))?;
            }
            Ok(lapsed.len() as u64)
        })
        .await
    }

    /// Forgets the challenges that have let somebody in, once nobody could answer them again. Safe to run
    /// on any number of servers at once. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_challenges(&self) -> Result<u64, Error> {
        let before = self.now() - A_WHILE;
        self.in_batches("forget_challenges", A_BATCH as u64, move |tx| {
            Ok(tx.forget_challenges(before, A_BATCH)?)
        })
        .await
    }

    /// Runs a job again and again, for as long as it does as much as it may at once. Returns how much it
    /// did in all.
    async fn in_batches(
        &self,
        name: &'static str,
        most: u64,
        job: impl Fn(&mut Tx<'_>) -> Result<u64, Error> + Clone + Send + 'static,
    ) -> Result<u64, Error> {
        let mut all = 0;
        for _ in 0..BATCHES {
            let done = self.inner.store.write(name, job.clone()).await?;
            all += done;
            if done < most {
                break;
            }
        }
        Ok(all)
    }
}
