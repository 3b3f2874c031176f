//! Devices that come with nothing but their manufacturer's certificate, as `openssl` makes it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../est/hall.rs"]
#[allow(dead_code)]
mod hall;

mod entering;
mod est;
mod factory;
mod manufacturers;
mod refused;
mod returning;
mod tls;
mod waiting;
