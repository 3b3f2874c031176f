//! What the server does by itself, now and then.

use std::sync::Arc;
use std::time::Duration;

use enlist_core::explain;
use enlist_ops::Ops;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::identity::OwnCertificate;
use crate::view;

const MINUTE: Duration = Duration::from_secs(60);
/// How soon an event has its place in the chain.
const A_SEAL: Duration = Duration::from_secs(1);
/// How soon a device that waits here learns of what another server was told.
const A_RING: Duration = Duration::from_secs(2);

/// Clocks that differ by no more are left alone.
const MUCH_OFF: Duration = Duration::from_secs(30);
/// Between two steps of clearing away, so that who enrolls meanwhile doesn't wait for it.
const A_BREATH: Duration = Duration::from_millis(50);

/// Runs until the task is aborted.
pub(crate) async fn run(ops: Ops, own: Option<OwnCertificate>) {
    tokio::join!(
        ring(ops.clone()),
        seal(ops.clone()),
        ops.tell_webhooks(Arc::new(view::webhook_message)),
        revocations(ops.clone()),
        manifests(ops.clone()),
        clocks(ops.clone()),
        look_after(ops.clone(), own)
    );
}

/// Rings for devices that wait here, when there is something for them.
async fn ring(ops: Ops) {
    let mut tick = interval(A_RING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = ops.ring_for_others().await {
            warn!(error = %explain(&error), "what other servers have recorded could not be looked up");
        }
    }
}

/// Gives new events their places in their tenants' chains.
async fn seal(ops: Ops) {
    let mut tick = interval(A_SEAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = ops.seal_events().await {
            warn!(error = %explain(&error), "events could not be sealed");
        }
    }
}

/// Knows what is revoked before anybody asks, and keeps knowing it.
async fn revocations(ops: Ops) {
    let mut tick = interval(MINUTE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match ops.look_after_revocations().await {
            Ok(None) => {}
            Ok(Some(certificates)) => info!(certificates, "knows what is revoked or on hold"),
            Err(error) => warn!(error = %explain(&error), "what is revoked could not be looked up"),
        }
    }
}

/// Clears away what deleted manifests have left.
async fn manifests(ops: Ops) {
    let mut tick = interval(MINUTE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        loop {
            match ops.clear_manifests().await {
                Ok(true) => sleep(A_BREATH).await,
                Ok(false) => break,
                Err(error) => {
                    warn!(error = %explain(&error), "deleted manifests could not be cleared away");
                    break;
                }
            }
        }
    }
}

/// Says so when this server's clock and the database's differ, and when they no longer do.
async fn clocks(ops: Ops) {
    let mut tick = interval(MINUTE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_off = false;
    loop {
        tick.tick().await;
        let Ok(off) = ops.clock_off().await else {
            // Others say that the database is away.
            continue;
        };
        let off = off.filter(|off| off.by() > MUCH_OFF);
        match off {
            Some(off) if !was_off => warn!(
                %off,
                "this server's clock and the database's differ: see that both are kept right, as certificates, webhooks and rates of secrets go by it"
            ),
            None if was_off => info!("this server's clock and the database's agree again"),
            _ => {}
        }
        was_off = off.is_some();
    }
}

async fn look_after(ops: Ops, mut own: Option<OwnCertificate>) {
    let mut tick = interval(MINUTE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = ops.roots_changed() => {}
        }
        match ops.follow_roots().await {
            Ok(false) => {}
            Ok(true) => info!("another server has changed the roots"),
            Err(error) => warn!(error = %explain(&error), "the roots could not be looked up"),
        }
        if let Err(error) = ops.flush_refusals().await {
            warn!(error = %explain(&error), "refusals could not be recorded");
        }
        match ops.lapse_applications().await {
            Ok(0) => {}
            Ok(lapsed) => info!(lapsed, "applications timed out"),
            Err(error) => {
                warn!(error = %explain(&error), "applications could not be looked through");
            }
        }
        if let Err(error) = ops.forget_challenges().await {
            warn!(error = %explain(&error), "used challenges could not be forgotten");
        }
        match ops.renew_cas_in_time().await {
            Ok((0, 0)) => {}
            Ok((renewed, 0)) => info!(renewed, "issuing CAs were renewed"),
            Ok((renewed, left)) => warn!(
                renewed,
                left,
                "issuing CAs are near their end and can't be renewed here: `enlist renew ca` says what to have signed"
            ),
            Err(error) => warn!(error = %explain(&error), "issuing CAs could not be renewed"),
        }
        match own.as_mut().map(|own| own.renew(&ops)) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => info!("the server's certificate was renewed"),
            Some(Err(error)) => {
                warn!(error = %explain(&error), "the server's certificate could not be renewed");
            }
        }
    }
}
