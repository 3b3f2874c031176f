//! The configuration of devices: what is stated, what is refused, and what devices are offered.

#![allow(clippy::unwrap_used)]

mod bench;
mod own_signature;
mod schemas;
mod values;
