//! What the server does by itself, now and then.

use std::time::Duration;

use enlist_ops::Ops;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::identity::OwnCertificate;

const MINUTE: Duration = Duration::from_secs(60);

/// Runs until the task is aborted.
pub(crate) async fn run(ops: Ops, mut own: Option<OwnCertificate>) {
    let mut tick = interval(MINUTE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = ops.flush_refusals().await {
            warn!(%error, "refusals could not be recorded");
        }
        match ops.lapse_applications().await {
            Ok(0) => {}
            Ok(lapsed) => info!(lapsed, "applications timed out"),
            Err(error) => warn!(%error, "applications could not be looked through"),
        }
        match own.as_mut().map(|own| own.renew(&ops)) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => info!("the server's certificate was renewed"),
            Some(Err(error)) => warn!(%error, "the server's certificate could not be renewed"),
        }
    }
}
