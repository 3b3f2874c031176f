//! What the server does by itself, now and then.

use std::time::Duration;

use enlist_core::Actor;

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
    pub async fn lapse_applications(&self) -> Result<usize, Error> {
        let now = self.now();
        let mut all = 0;
        for _ in 0..BATCHES {
            let lapsed = self
                .inner
                .store
                .write("lapse_applications", move |tx| {
                    let lapsed = tx.lapsed_devices(now, A_FEW)?;
                    for (tenant, id) in &lapsed {
                        let Some(device) = tx.device(*tenant, *id)? else {
                            continue;
                        };
                        let event = device.clone().reject(Actor::Server, now)?;
                        approve::turn_away(tx, &device, &event.with("reason", "timed out"))?;
                    }
                    Ok::<_, Error>(lapsed.len())
                })
                .await?;
            all += lapsed;
            if lapsed < A_FEW {
                break;
            }
        }
        Ok(all)
    }

    /// Forgets the challenges that have let somebody in, once nobody could answer them again. Safe to run
    /// on any number of servers at once. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_challenges(&self) -> Result<u64, Error> {
        let before = self.now() - A_WHILE;
        let mut all = 0;
        for _ in 0..BATCHES {
            let forgotten = self
                .inner
                .store
                .write("forget_challenges", move |tx| {
                    Ok::<_, Error>(tx.forget_challenges(before, A_BATCH)?)
                })
                .await?;
            all += forgotten;
            if forgotten < A_BATCH as u64 {
                break;
            }
        }
        Ok(all)
    }
}
