use serde_json::{Map, Value};

use crate::pointer;
use crate::schema::{Node, Schema};

/// What stands in the place of a secret.
pub const MASK: &str = "***";

impl Schema {
    /// `value`, which stands at `pointer` (empty for a whole configuration), fit to be shown: secrets are
    /// [`MASK`], and so is what the schema does not know, since that may be a secret of another version.
    #[must_use]
    pub fn mask(&self, value: &Value, pointer: &str) -> Value {
        let Some(path) = pointer::split(pointer) else {
            return MASK.into();
        };
        let mut node = self.root();
        for key in &path {
            match node.member(key).or(node.items.as_deref()) {
                Some(member) if !node.secret => node = member,
                _ => return MASK.into(),
            }
        }
        masked(node, value)
    }
}

fn masked(node: &Node, value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ if node.secret => MASK.into(),
        Value::Object(fields) => {
            let masked = fields.iter().map(|(key, value)| {
                let shown = match node.member(key) {
                    Some(node) => masked(node, value),
                    None => MASK.into(),
                };
                (key.clone(), shown)
            });
            Value::Object(masked.collect::<Map<_, _>>())
        }
        Value::Array(items) if node.items.is_some() => items
            .iter()
            .map(|item| {
                node.items
                    .as_deref()
                    .map_or(MASK.into(), |node| masked(node, item))
            })
            .collect(),
        // Where the schema has secrets further in, a value of another shape may be one of them.
        _ if node.holds_secret() => MASK.into(),
        _ => value.clone(),
    }
}
