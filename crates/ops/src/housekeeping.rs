//! What the server does by itself, now and then.

use enlist_core::Actor;

use crate::{Error, Ops, approve};

/// Applications that one run turns away at most; the rest waits for the next.
const A_RUN: usize = 500;

impl Ops {
    /// Turns away the applications that nobody has answered in time. Safe to run on any number
    /// of servers at once. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lapse_applications(&self) -> Result<usize, Error> {
        let now = self.now();
        self.inner
            .store
            .write("lapse_applications", move |tx| {
                let lapsed = tx.lapsed_devices(now, A_RUN)?;
                for (tenant, id) in &lapsed {
                    let Some(device) = tx.device(*tenant, *id)? else {
                        continue;
                    };
                    let event = device.clone().reject(Actor::Server, now)?;
                    approve::turn_away(tx, &device, &event.with("reason", "timed out"))?;
                }
                Ok(lapsed.len())
            })
            .await
    }
}
