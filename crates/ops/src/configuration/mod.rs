//! Configuration of devices: schemas, values, and what devices are to have of them.
//!
//! What is stated is a signed statement with a number that only rises, kept for good. What the statements
//! say is checked as a whole before they are signed or recorded: outside of any transaction, on the record
//! as it was. Recording checks that this is still the record.

mod aside;
mod error;
mod ground;
mod history;
mod layer;
mod misfit;
mod newcomer;
mod offer;
mod record;
mod rollback;
mod ruler;
mod schema;
mod view;

use enlist_config::Change;
use serde_json::{Map, Value};

pub use enlist_config::Change as ConfigurationChange;
pub use error::{ConfigurationError, Unfit};
pub use ground::{ConfigurationOf, ConfigurationPath};
pub use layer::ApplyConfiguration;
pub(crate) use newcomer::Given;
pub use offer::{ConfigurationOffer, DesiredConfiguration};
pub(crate) use offer::{desired, offer};
pub use schema::ApplySchema;
pub use view::{ConfigurationView, SchemaView};

/// The fields of a configuration, or some of them.
type Fields = Map<String, Value>;

/// The most bytes that values may have as JSON.
const MAX_VALUES: usize = 256 * 1024;

/// What came of stating configuration.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Whether there is something new. Where there is not, nothing was stated.
    pub changed: bool,
    /// The number of the statement, or the one that it would have.
    pub version: u64,
    /// The schema version that it is of.
    pub schema_version: u32,
    /// What is different; secrets are masked.
    pub changes: Vec<Change>,
}

/// How something is to be stated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stating {
    /// The number of the newest statement that the caller knows of; another one is a conflict.
    pub expects: Option<u64>,
    /// Whether to check and compare alone.
    pub dry_run: bool,
}
