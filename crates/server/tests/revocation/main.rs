//! What the world learns of revocations, asked as strangers ask: with openssl, and over plain HTTP.

#![allow(clippy::unwrap_used)]

mod bench;
mod crl;
mod ocsp;
mod plain;
mod refused;
mod servers;
