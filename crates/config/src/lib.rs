//! Configuration of devices as values under a schema: what a schema must be, defaults, layers that are
//! merged, steps from one schema version to the next, differences with secrets masked.
//!
//! Everything here is pure, and takes what strangers wrote: it is bounded in size and depth, and never
//! panics. No text that it makes holds a value of a configuration; secrets (`"writeOnly": true`) are
//! shown as [`MASK`].
//!
//! [`Schema::check`] checks a stated subset of JSON Schema 2020-12, small enough for every device;
//! `docs/configuration.md` says which. With the feature `full`, `FullSchema` checks the whole.

mod diff;
#[cfg(feature = "full")]
mod full;
mod mask;
mod merge;
mod migrate;
mod pointer;
mod schema;
mod violation;

pub use diff::{Change, diff};
#[cfg(feature = "full")]
pub use full::{FullSchema, check_fully};
pub use mask::MASK;
pub use merge::merge;
pub use migrate::{Migration, MigrationError, migrate};
pub use schema::{Schema, SchemaError};
pub use violation::Violation;
