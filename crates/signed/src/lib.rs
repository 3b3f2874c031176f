//! Statements that are signed once and believed anywhere: configuration for devices, commands to
//! devices, the receipts of devices, and what auditors take away ([`audit`]).
//!
//! A statement is a JSON document of a named type. It travels in an [`Envelope`], together with the
//! signatures over its very bytes: DSSE, the "Dead Simple Signing Envelope" that other tools of the
//! field read and write too. Nothing is read of a statement before a signature over it has been
//! verified: [`Envelope::open`] gives out the one only after the other.

pub mod audit;
mod envelope;
mod hex_digest;
mod key_id;
mod statement;

pub use enlist_config::Migration;
pub use envelope::{Envelope, MalformedEnvelope, Refused, Signature, Unsigned};
pub use key_id::KeyId;
pub use statement::{
    Command, ErasedItem, Erasure, Head, Layer, Order, OrderedBy, Receipt, Schema, Statement,
    Target, Trust,
};
