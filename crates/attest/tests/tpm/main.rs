//! A TPM's evidence: what holds, and everything that does not.

#![allow(clippy::unwrap_used)]

mod evidence;
mod real;
mod rig;
// A server's tests use it as well.
#[path = "../../../testkit/src/soft_tpm.rs"]
#[allow(dead_code, reason = "the server's tests use the rest")]
mod soft_tpm;
mod tools;
