//! Several servers on one database behind a load balancer that knows nothing of TLS: they are killed, and
//! ended in good order, and devices notice nothing, or ask again.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../rig/mod.rs"]
mod rig;

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../faults/crowd.rs"]
mod crowd;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../faults/record.rs"]
mod record;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../faults/site.rs"]
mod site;

mod balancer;
mod killed;
mod restarted;
