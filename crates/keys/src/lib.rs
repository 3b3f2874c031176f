//! Where private keys live, for the CA and the agent alike.
//!
//! A key is a [`enlist_pki::Signer`] to everybody else. [`KeyStore`] is where a device's keys
//! are made and found again: encrypted files, a TPM 2.0 (feature `tpm`), a PKCS#11 token
//! (feature `pkcs11`). [`FileKey`] is a key in memory, read from PKCS#8 and written back.
//! [`WrappingKey`] keeps keys and other secrets readable for nobody else while they lie in a
//! store, [`mac`] holds the keys of messages that only servers read, [`mod@file`] writes
//! secrets to disk so that they survive a power cut, and [`tls`] builds rustls configurations
//! over any signer. [`attestation`] is how a TPM proves which machine it is in, and that a key is its own.

pub mod attestation;
#[cfg(any(feature = "tpm", feature = "pkcs11"))]
mod ecdsa;
pub mod file;
mod file_key;
pub mod mac;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod store;
pub mod tls;
#[cfg(feature = "tpm")]
mod tpm;
mod wrapping;

pub use file_key::{FileKey, FileKeyError};
pub use store::{
    BadReference, BadSpec, Binding, FileStore, FileStoreSpec, HandleRange, KeyReference, KeyStore,
    KeyStoreError, PinSource, Pkcs11Spec, StoreKind, StoreSpec, TpmAddress, TpmSpec, Wrapping,
    open_store, open_token,
};
pub use wrapping::{WrappingKey, WrappingKeyError};
