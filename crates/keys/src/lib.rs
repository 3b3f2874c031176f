//! Where private keys live, for the CA and the agent alike.
//!
//! A key is a [`enlist_pki::Signer`] to everybody else. [`FileKey`] is the one kind so
//! far: a key in memory, read from PKCS#8 and written back. [`WrappingKey`] keeps keys
//! and other secrets readable for nobody else while they lie in a store, [`mac`] holds
//! the keys of messages that only servers read, [`mod@file`] writes secrets to disk so that
//! they survive a power cut, and [`tls`] builds rustls configurations over any signer.

pub mod file;
mod file_key;
pub mod mac;
pub mod tls;
mod wrapping;

pub use file_key::{FileKey, FileKeyError};
pub use wrapping::{WrappingKey, WrappingKeyError};
