//! What the server does by itself, now and then.

use std::sync::Arc;
use std::time::Duration;

use enlist_keys::tls::ServerIdentity;
use enlist_ops::{Ops, ServerName};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::server::{ServeError, own_identity};

const MINUTE: Duration = Duration::from_secs(60);

/// The certificate of the service CA's that the server renews by itself.
pub(crate) struct OwnCertificate {
    pub(crate) identity: Arc<ServerIdentity>,
    pub(crate) names: Vec<ServerName>,
    pub(crate) renew_at: enlist_core::Timestamp,
}

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
        if let Some(own) = &mut own
            && ops.now() >= own.renew_at
            && let Err(error) = renew(&ops, own)
        {
            warn!(%error, "the server's certificate could not be renewed");
        }
    }
}

fn renew(ops: &Ops, own: &mut OwnCertificate) -> Result<(), ServeError> {
    let (identity, renew_at) = own_identity(ops, &own.names)?;
    own.identity.replace(identity).map_err(ServeError::Tls)?;
    own.renew_at = renew_at;
    info!("the server's certificate was renewed");
    Ok(())
}
