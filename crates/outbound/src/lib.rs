//! HTTPS to others: to the operator's webhooks and hooks, and nothing else.
//!
//! Whom a call goes to was written by an operator; what comes back is a stranger's. So: HTTPS only, the
//! certificate verified, no redirect followed, no proxy, the whole exchange bounded in time and bytes,
//! the calls bounded in number, and no connection to addresses that only this machine's own network
//! gives a meaning to (`address.rs`). What is resolved is what is connected to.

mod address;
mod client;
mod connect;
mod destination;
mod error;
mod lookup;
mod roots;
mod url;

pub use client::{Client, Reply, Request};
pub use error::CallError;
