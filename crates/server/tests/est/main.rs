//! EST, as a stranger types it with curl and openssl.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod approving;
mod bad_input;
mod documented;
mod enrolling;
mod hall;
mod reenrolling;
mod returning;
mod server_key;
mod tls;
