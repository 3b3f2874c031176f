//! Tells the agent when it was built: a time before that can't be right on any device.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=build.rs");
    let given = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    println!(
        "cargo::rustc-env=ENLIST_BUILT_AT={}",
        given.unwrap_or_else(now)
    );
}

#[allow(
    clippy::disallowed_methods,
    reason = "a build has no other clock; a reproducible one sets SOURCE_DATE_EPOCH"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
