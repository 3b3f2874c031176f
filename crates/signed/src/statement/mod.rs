//! What is stated.

mod command;
mod head;
mod layer;
mod receipt;
mod schema;
mod trust;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use command::{Command, Order};
pub use head::Head;
pub use layer::{Layer, Target};
pub use receipt::{ErasedItem, Erasure, OrderedBy, Receipt};
pub use schema::Schema;
pub use trust::Trust;

/// A document that is worth a signature. Readers refuse fields that they do not know: what was signed
/// counts whole or not at all.
pub trait Statement: Serialize + DeserializeOwned {
    /// The media type that tells statements apart, so that none is ever taken for another.
    const TYPE: &'static str;
}
