//! Elsewhere than on Linux there is no systemd, and nobody to be told.

use std::time::Duration;

pub(crate) fn ready() {}

pub(crate) fn stopping() {}

pub(crate) fn status(_: &str) {}

pub(crate) fn alive() {}

pub(crate) fn pulse() -> Option<Duration> {
    None
}
