//! What goes wrong with databases, servers, disks and clocks while a crowd of devices enrolls and renews.
//!
//! Whatever it is, three things hold: nothing that was acknowledged is lost, no identity is there twice,
//! and no certificate is off record. And it goes on by itself as soon as it can.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../rig/mod.rs"]
mod rig;

mod clocks;
mod crowd;
mod full;
mod killed;
mod paused;
mod promoted;
mod record;
mod site;
mod taken;

/// What the check has time for, or `cargo xtask soak`.
fn quick_or_long<T>(quick: T, long: T) -> T {
    match std::env::var_os("ENLIST_SOAK") {
        None => quick,
        Some(_) => long,
    }
}
