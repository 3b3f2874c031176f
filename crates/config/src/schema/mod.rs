mod check;
mod error;
mod keyword;
mod node;
mod parse;
mod reference;
mod same;

use serde_json::{Map, Value};

pub use error::SchemaError;
pub(crate) use node::Node;

/// The schema of a configuration, parsed and checked: an object with bounded size and depth, in which
/// every field has a default that the schema takes itself.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Node,
    defaults: Map<String, Value>,
}

impl Schema {
    /// The most bytes of a schema as compact JSON.
    pub const MAX_LEN: usize = 256 * 1024;
    /// How deep a schema may go.
    pub const MAX_DEPTH: usize = 32;
    /// The most fields, those of referenced parts counted as often as they are referenced.
    pub const MAX_FIELDS: usize = 2000;

    /// Reads a schema.
    ///
    /// # Errors
    /// Says where it is wrong, and what to write.
    pub fn parse(schema: &Value) -> Result<Self, SchemaError> {
        let root = parse::root(schema)?;
        let defaults = match root.default_value() {
            Some(Value::Object(defaults)) => defaults,
            _ => Map::new(),
        };
        let schema = Self { root, defaults };
        if let Err(violations) = schema.check(&schema.defaults) {
            let why = violations.first().map(ToString::to_string);
            let message = format!("refuses its own defaults: {}", why.unwrap_or_default());
            return Err(SchemaError::new("", message));
        }
        Ok(schema)
    }

    /// The configuration of whoever was told nothing.
    #[must_use]
    pub fn defaults(&self) -> Map<String, Value> {
        self.defaults.clone()
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// The pointer to the secret that this path leads to or into.
    #[cfg(feature = "full")]
    pub(crate) fn secret_above(&self, path: &[String]) -> Option<String> {
        let mut node = &self.root;
        let mut pointer = String::new();
        for key in path {
            if node.secret {
                return Some(pointer);
            }
            node = node.member(key).or(node.items.as_deref())?;
            pointer = crate::pointer::join(&pointer, key);
        }
        node.secret.then_some(pointer)
    }
}
