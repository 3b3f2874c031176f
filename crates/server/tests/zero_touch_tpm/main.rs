//! Devices that bring no secret: their TPM says who they are.

#![allow(clippy::unwrap_used)]

mod challenge;
mod enroll;
mod groups;
mod maker;
mod servers;
