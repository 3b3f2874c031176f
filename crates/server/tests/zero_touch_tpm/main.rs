//! Devices that bring no secret: their TPM says who they are.

#![allow(clippy::unwrap_used)]

mod challenge;
mod displacing;
mod enroll;
mod groups;
mod landing;
mod maker;
mod narrowed;
mod raced;
mod servers;
