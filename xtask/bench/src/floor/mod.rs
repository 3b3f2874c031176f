//! What cannot be left out, done barely.

pub(crate) mod bulk;
pub(crate) mod crypto;
pub(crate) mod exchange;
pub(crate) mod handshake;
pub(crate) mod responder;
pub(crate) mod rows;
pub(crate) mod schema;
